// A WebSocket without a network.

import type { Wire } from '../wire/socket';

/** A frame of a client. */
export interface Command {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** The other end. */
interface Far {
  receive(wire: FakeWire, command: Command): void;
  gone(wire: FakeWire): void;
}

/** The client's end of a connection. */
export class FakeWire implements Wire {
  onopen: Wire['onopen'] = null;
  onmessage: Wire['onmessage'] = null;
  onclose: Wire['onclose'] = null;
  onerror: Wire['onerror'] = null;
  readonly #server: Far;
  isClosed = false;

  constructor(server: Far) {
    this.#server = server;
  }

  send(data: string): void {
    if (this.isClosed) throw new Error('closed');
    this.#server.receive(this, JSON.parse(data) as Command);
  }

  close(): void {
    this.isClosed = true;
    this.#server.gone(this);
  }

  deliver(frame: unknown, afterMs = 0): void {
    const data = JSON.stringify(frame);
    setTimeout(() => {
      if (!this.isClosed) this.onmessage?.call(this as never, { data } as MessageEvent);
    }, afterMs);
  }

  /** The server closes. */
  closeWith(code: number): void {
    setTimeout(() => {
      if (this.isClosed) return;
      this.isClosed = true;
      this.#server.gone(this);
      this.onclose?.call(this as never, { code } as CloseEvent);
    });
  }
}
