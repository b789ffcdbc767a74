/**
 * Alerts by e-mail, over SMTP.
 *
 * The host is looked up by the hub, which refuses private addresses; the certificate is still checked by the name.
 */
import { isIP } from "node:net";
import { type ChannelTools, type Notice, type NotificationChannel, Schema } from "../../core/plugin.ts";

const Config = Schema.Struct({
  host: Schema.String.annotate({ description: "The mail server." }),
  port: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 }, { expected: "a port" })).annotate({
      description: "587 unless said.",
    }),
  ),
  tls: Schema.optionalKey(
    Schema.Literals(["implicit", "starttls", "none"]).annotate({
      description: "implicit (unless said, on port 465), starttls (unless said, on others; required then), none.",
    }),
  ),
  user: Schema.optionalKey(Schema.String.annotate({ description: "Who signs in; nobody unless said." })),
  password: Schema.optionalKey(Schema.String.annotate({ description: "The password of the user." })),
  from: Schema.String.annotate({ description: "The sender's address." }),
  to: Schema.Array(Schema.String)
    .check(Schema.isMinLength(1, { expected: "at least one address" }))
    .annotate({ description: "Who gets the messages." }),
});

type SmtpConfig = typeof Config.Type;

const portUnlessSaid = 587;
const timeoutMs = 15_000;

export const smtp: NotificationChannel<SmtpConfig> = {
  channel: "smtp",
  title: { en: "E-mail", zh: "电子邮件" },
  config: Config,
  send: async (notice, config, tools) => {
    const transport = await transportOf(config, tools);
    try {
      const { from, to } = config;
      await transport.sendMail({
        from,
        to: [...to],
        subject: notice.title,
        text: [...notice.lines, ""].join("\n"),
        messageId: `<${notice.id}@${domainOf(from)}>`,
        headers: autoHeaders(notice),
      });
    } finally {
      transport.close();
    }
  },
};

/** The library is loaded with the first message. */
async function transportOf({ host, port = portUnlessSaid, tls, user, password }: SmtpConfig, tools: ChannelTools) {
  const { createTransport } = await import("nodemailer");
  const address = await tools.lookUp(host, port);
  const kind = tls ?? (port === 465 ? "implicit" : "starttls");
  return createTransport({
    host: address,
    port,
    secure: kind === "implicit",
    requireTLS: kind === "starttls",
    ignoreTLS: kind === "none",
    tls: { ...(isIP(host) === 0 ? { servername: host } : {}), minVersion: "TLSv1.2" },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

const domainOf = (from: string): string => /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? "localhost";

/** Out-of-office notes must not answer, and mail programs may keep a trouble in one thread. */
const autoHeaders = ({ rule, connection }: Notice): Record<string, string> => ({
  "Auto-Submitted": "auto-generated",
  "X-Syncline-Alert": connection === null ? rule : `${rule} ${connection}`,
});
