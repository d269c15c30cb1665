/** A client of the tests: N connections, or datagrams from port 5555, one after another; prints answers or error codes. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const [, , protocol, host, port, count] = process.argv;

const tcp = () =>
  new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port: Number(port), timeout: 700 });
    socket.on("data", (chunk) => (text += chunk));
    socket.on("end", () => resolve(text));
    socket.on("error", (error) => resolve(error.code));
    socket.on("timeout", () => {
      socket.destroy();
      resolve("ETIMEDOUT");
    });
  });

const udp = () =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = (text) => {
      clearTimeout(timer);
      socket.close();
      resolve(text);
    };
    const timer = setTimeout(() => done("ETIMEDOUT"), 700);
    socket.on("message", (message) => done(String(message)));
    socket.on("error", (error) => done(error.code));
    socket.bind(5555, () => socket.send("?", Number(port), host));
  });

for (let i = 0; i < Number(count); i++) {
  process.stdout.write(`${await (protocol === "udp" ? udp() : tcp())}\n`);
}
