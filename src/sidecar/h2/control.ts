import { CODE, ConnectionFault, FLAG, FRAME, frame, MAX_WINDOW, SETTING, StreamFault } from "./frames.ts";

/** What a frame for a stream that is not open means. */
export function notOpen(stream: number, lastStream: number): ConnectionFault | StreamFault {
  if (stream === 0 || stream > lastStream) return new ConnectionFault(CODE.protocol, `stream ${stream} was never opened`);
  return new StreamFault(stream, CODE.streamClosed, `stream ${stream} is closed`);
}

const NO_BYTES = Buffer.alloc(0);

/** The answer to a PING: no bytes when it is an answer itself. Throws ConnectionFault. */
export function pingAnswer(stream: number, flags: number, payload: Buffer): Buffer {
  if (stream !== 0) throw new ConnectionFault(CODE.protocol, "a ping belongs to the connection");
  if (payload.length !== 8) throw new ConnectionFault(CODE.frameSize, "a ping has eight bytes");
  return (flags & FLAG.ack) === 0 ? frame(FRAME.ping, FLAG.ack, 0, payload) : NO_BYTES;
}

/** What a SETTINGS frame asks for. */
export interface PeerSettings {
  readonly isAck: boolean;
  /** Undefined when it stays as it was. */
  readonly initialWindow: number | undefined;
}

/** Reads a SETTINGS frame; settings that a server of gRPC need not know are only checked. Throws ConnectionFault. */
export function readSettings(stream: number, flags: number, payload: Buffer): PeerSettings {
  if (stream !== 0) throw new ConnectionFault(CODE.protocol, "settings belong to the connection");
  const isAck = (flags & FLAG.ack) !== 0;
  if (payload.length % 6 !== 0 || (isAck && payload.length > 0)) throw new ConnectionFault(CODE.frameSize, "settings have six bytes each");
  let initialWindow: number | undefined;
  for (let at = 0; at < payload.length; at += 6) {
    const identifier = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    checkSetting(identifier, value);
    if (identifier === SETTING.initialWindow) initialWindow = value;
  }
  return { isAck, initialWindow };
}

function checkSetting(identifier: number, value: number): void {
  if (identifier === SETTING.enablePush && value > 1) throw new ConnectionFault(CODE.protocol, "ENABLE_PUSH is 0 or 1");
  if (identifier === SETTING.maxFrame && (value < 16_384 || value > 16_777_215))
    throw new ConnectionFault(CODE.protocol, "MAX_FRAME_SIZE is out of range");
  if (identifier === SETTING.initialWindow && value > MAX_WINDOW)
    throw new ConnectionFault(CODE.flowControl, "INITIAL_WINDOW_SIZE is out of range");
}

/** Adds the room that a WINDOW_UPDATE gives; `stream` is 0 for the connection. Throws ConnectionFault or StreamFault. */
export function addRoom(to: { window: number }, stream: number, payload: Buffer): void {
  const bytes = payload.readUInt32BE(0) & MAX_WINDOW;
  const code = bytes === 0 ? CODE.protocol : to.window + bytes > MAX_WINDOW ? CODE.flowControl : undefined;
  if (code !== undefined) {
    const problem = "the room given is out of range";
    throw stream === 0 ? new ConnectionFault(code, problem) : new StreamFault(stream, code, problem);
  }
  to.window += bytes;
}
