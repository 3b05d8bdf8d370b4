import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { quoteShell } from "./guest-scripts.js";

export interface CommandOptions {
  /** Added to the guest's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Directory to run in; default `/`. */
  readonly cwd?: string;
  /** What the command reads from its standard input; default nothing. */
  readonly input?: string | Uint8Array;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it came, for what is not text. */
  readonly stdoutBytes: Uint8Array;
  /** 128 + N where signal N ended the command. */
  readonly exitCode: number;
}

const GUEST_ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/tmp/home",
  USER: "root",
  LANG: "C.UTF-8",
} as const;

const SOCKET = "agent.sock";
/** Of a socket's path, with the zero byte at its end (unix(7), `sun_path`). */
const SUN_PATH_BYTES = 108;

/** Whether the path of a socket in a directory is short enough: a temporary folder of one's own may be too deep. */
export function fitsSocket(directory: string): boolean {
  return Buffer.byteLength(join(directory, SOCKET)) < SUN_PATH_BYTES;
}

/**
 * The host's end of the channel to the agent in the guest (see guest-scripts.ts): QEMU connects the guest's second
 * serial port to our socket, and shares our channel directory.
 */
export class AgentChannel {
  readonly socketPath: string;
  readonly directory: string;
  readonly ready: Promise<void>;
  readonly #server: Server;
  readonly #waiting = new Map<number, () => void>();
  #socket: Socket | undefined;
  #nextId = 1;

  /**
   * @param directory an empty directory of our own
   * @param socketDirectory where the socket is made: one for which {@link fitsSocket} holds
   */
  constructor(directory: string, socketDirectory: string) {
    this.directory = join(directory, "channel");
    mkdirSync(this.directory);
    this.socketPath = join(socketDirectory, SOCKET);
    this.#server = createServer();
    this.ready = new Promise((resolve) => {
      this.#waiting.set(0, resolve);
    });
    this.#server.on("connection", (socket) => {
      this.#accept(socket);
    });
    this.#server.unref();
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.socketPath, resolve);
    });
  }

  /** Hands a command to the agent. `finished` settles only if the guest lives to see the end of it. */
  start(command: string | readonly string[], options: CommandOptions = {}): { id: number; finished: Promise<CommandResult> } {
    const id = this.#nextId++;
    const directory = join(this.directory, String(id));
    mkdirSync(directory);
    writeFileSync(join(directory, "command"), shellScript(command, options));
    writeFileSync(join(directory, "stdin"), options.input ?? "");
    const finished = new Promise<void>((resolve) => {
      this.#waiting.set(id, resolve);
    }).then(() => this.#result(directory));
    this.#send(`run ${id}`);
    return { id, finished };
  }

  /** What a running command has written so far. */
  outputSoFar(id: number): string {
    return readIfThere(join(this.directory, String(id), "stdout")).toString();
  }

  /** Kills a command and what it started (unless that left its session). */
  kill(id: number): void {
    this.#waiting.delete(id);
    this.#send(`kill ${id}`);
  }

  powerOff(): void {
    this.#send("off 0");
  }

  close(): void {
    this.#socket?.destroy();
    this.#server.close();
  }

  #accept(socket: Socket): void {
    this.#socket = socket;
    let buffered = "";
    socket.on("error", () => undefined); // QEMU's exit is noticed elsewhere
    socket.on("data", (data) => {
      const lines = (buffered + data.toString("latin1")).split("\n");
      buffered = lines.pop() ?? "";
      for (const line of lines) {
        const match = /(?:ready|done) (\d+)\r?$/.exec(line);
        if (match === null) continue;
        const id = Number(match[1]);
        this.#waiting.get(id)?.();
        this.#waiting.delete(id);
      }
    });
  }

  #send(line: string): void {
    this.#socket?.write(`${line}\n`);
  }

  #result(directory: string): CommandResult {
    const stdoutBytes = readIfThere(join(directory, "stdout"));
    const exitCode = Number.parseInt(readIfThere(join(directory, "exit")).toString(), 10);
    return {
      stdoutBytes,
      stdout: stdoutBytes.toString(),
      stderr: readIfThere(join(directory, "stderr")).toString(),
      exitCode: Number.isNaN(exitCode) ? 255 : exitCode,
    };
  }
}

/** A POSIX shell script that runs the command: a string is shell text, a list of words is one program. */
export function shellScript(command: string | readonly string[], options: CommandOptions): string {
  const environment = { ...GUEST_ENVIRONMENT, ...options.env };
  return [
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoteShell(value)}`),
    `cd ${quoteShell(options.cwd ?? "/")} || exit 126`,
    typeof command === "string" ? command : command.map(quoteShell).join(" "),
    "",
  ].join("\n");
}

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
