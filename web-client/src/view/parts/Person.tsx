/** How people and rooms are drawn: a name that keeps its direction, an avatar of letters on a colour of its own. */
import { createMemo, Show } from 'solid-js';
import type { RoomView, User } from '../../model';
import { Icon } from './Icon';

// Bidi controls and characters without width: a name must not turn the text around it, or hide in it.
const hidden = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A name as it may be shown: one line, nothing invisible. */
export function cleanName(name: string): string {
  return name.replace(hidden, '').replace(/\s+/g, ' ').trim();
}

/** The name of a person. */
export function nameOf(user: User | undefined): string {
  return user ? cleanName(user.display_name) || user.username : '…';
}

/** A name in its own direction; the whole of it in the tooltip. */
export function Name(props: { name: string }) {
  return (
    <bdi class="cut" title={props.name}>
      {props.name}
    </bdi>
  );
}

const han = /\p{Script=Han}/u;

/** Letters that stand for a name: the last two Han characters (one where it is small), else the initials. */
export function initials(name: string, small = false): string {
  const letters = [...name].filter((letter) => /[\p{L}\p{N}]/u.test(letter));
  const last = letters.at(-1);
  if (last === undefined) return '?';
  const core = name.replace(/[（(].*?[)）]/gu, '');
  const hanOnly = [...core].filter((letter) => han.test(letter));
  if (hanOnly.length > 0) return hanOnly.slice(small ? -1 : -2).join('');
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = [...(words[0] ?? last)][0] ?? last;
  if (small || words.length < 2) return first.toUpperCase();
  return (first + ([...(words.at(-1) ?? '')][0] ?? '')).toUpperCase();
}

/** One of the ten colours, the same for an id everywhere. */
export function colourOf(id: string): string {
  let sum = 0;
  for (let index = 0; index < id.length; index += 1) sum = (sum * 31 + id.charCodeAt(index)) % 9973;
  return `c${(sum % 10) + 1}`;
}

export type AvatarSize = 20 | 24 | 28 | 32 | 36 | 44;

/** The avatar of a person; decoration, the name always stands beside it. */
export function Avatar(props: { user: User | undefined; size?: AvatarSize }) {
  const letters = createMemo(() => initials(nameOf(props.user), (props.size ?? 36) < 28));
  return (
    <span class={`av z${props.size ?? 36} ${colourOf(props.user?.id ?? '')}`} aria-hidden="true">
      {letters()}
    </span>
  );
}

/** What stands before a room's name: its peer, `#`, or a lock. */
export function RoomSign(props: { room: Pick<RoomView, 'kind' | 'peer'> }) {
  return (
    <Show when={props.room.kind === 'direct'} fallback={<Icon name={props.room.kind === 'group' ? 'lock' : 'hash'} />}>
      <Avatar user={props.room.peer} size={24} />
    </Show>
  );
}
