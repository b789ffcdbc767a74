/** The users of the SCIM benchmark: what an identity provider usually knows of somebody. */
export const personOf = (index: number): Record<string, unknown> => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
  userName: `person-${index}@acme.example`,
  externalId: `ext-${index}`,
  name: { givenName: "Ann", familyName: `Person ${index}`, formatted: `Ann Person ${index}` },
  displayName: `Ann Person ${index}`,
  title: `Title ${index}`,
  active: index % 10 !== 0,
  emails: [{ value: `person-${index}@acme.example`, type: "work", primary: true }],
  phoneNumbers: [{ value: `+4930${1_000_000 + index}`, type: "work" }],
});
