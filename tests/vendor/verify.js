// Verifies deliveries with the official library: reads [{secret, headers, body}] from standard input, prints [true, …].
const { Webhook } = require("standardwebhooks");
const deliveries = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const accepted = deliveries.map(({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
});
console.log(JSON.stringify(accepted));
