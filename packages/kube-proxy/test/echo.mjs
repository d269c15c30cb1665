/** A pod of the tests: answers TCP and UDP on 8080 with its name and the client's address. */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const [, , name] = process.argv;
const udp = createSocket("udp4");
udp.on("message", (_, from) => udp.send(`${name} ${from.address}`, from.port, from.address));
udp.bind(8080);
const tcp = createServer((socket) => {
  socket.on("error", () => {});
  socket.end(`${name} ${socket.remoteAddress}`);
});
tcp.listen(8080, "0.0.0.0", () => process.stdout.write("ready\n"));
