// Who is in a room, a page at a time, kept up by the room's entries.

import { done, type Outcome } from '../wire/failure';
import { LIMITS, type Entry, type Member, type RoomId, type RoomMembersParams, type RoomMembersResult } from '../wire/protocol';
import type { MembersView } from './view';

const PAGE = LIMITS.page_limit;

/** What member lists need from their surroundings. */
export interface MembersHost {
  get(params: RoomMembersParams): Promise<Outcome<RoomMembersResult>>;
  changed(room: RoomId, view: MembersView | undefined): void;
}

/** Member lists that were asked for. */
export class Members {
  readonly #host: MembersHost;
  readonly #views = new Map<RoomId, MembersView>();

  constructor(host: MembersHost) {
    this.#host = host;
  }

  /** The first page, or the next one while there is more. */
  async load(room: RoomId): Promise<Outcome<void>> {
    const known = this.#views.get(room);
    if (known?.status === 'loading') return done(undefined);
    const members = known?.more === true ? known.members : [];
    const after = members.at(-1)?.user.id;
    this.#put(room, { status: 'loading', members: known?.members ?? [], more: known?.more ?? false, failure: undefined });
    const answer = await this.#host.get({ room, limit: PAGE, ...(after === undefined ? {} : { after }) });
    if (!this.#views.has(room)) return done(undefined);
    if (!answer.ok) {
      const { more = false, members: before = [] } = known ?? {};
      this.#put(room, { status: 'error', members: before, more, failure: answer.failure });
      return answer;
    }
    const page = answer.value.members;
    const all = unique([...members, ...page]);
    this.#put(room, { status: 'ready', members: all, more: page.length === PAGE, failure: undefined });
    return done(undefined);
  }

  /** Entries of the room came. */
  applied(room: RoomId, entries: readonly Entry[]): void {
    const view = this.#views.get(room);
    if (!view) return;
    const members = entries.reduce(withChange, view.members);
    if (members !== view.members) this.#put(room, { ...view, members });
  }

  /** Forgets a room, or all. */
  forget(room?: RoomId): void {
    for (const each of room === undefined ? [...this.#views.keys()] : [room]) {
      if (this.#views.delete(each)) this.#host.changed(each, undefined);
    }
  }

  #put(room: RoomId, view: MembersView): void {
    this.#views.set(room, view);
    this.#host.changed(room, view);
  }
}

function withChange(members: readonly Member[], entry: Entry): readonly Member[] {
  switch (entry.kind) {
    case 'member_joined':
    case 'member_added':
      return unique([...members, { user: entry.user, role: 'member', joined_at: entry.at }]);
    case 'member_left':
    case 'member_removed':
      return members.filter((member) => member.user.id !== entry.user.id);
    case 'role_changed':
      return members.map((member) => (member.user.id === entry.user ? { ...member, role: entry.role } : member));
    default:
      return members;
  }
}

function unique(members: readonly Member[]): readonly Member[] {
  return [...new Map(members.map((member) => [member.user.id, member])).values()];
}
