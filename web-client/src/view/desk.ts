/**
 * What is being written in one room: the text, the message it answers or the one it edits. The composer shows it, rows
 * put things on it, and every change is kept as the room's draft.
 */
import { createContext, createSignal, untrack, useContext, type Accessor } from 'solid-js';
import type { Chat, RoomId, RoomView, Row, Seq } from '../model';

export interface Editing {
  readonly seq: Seq;
  readonly before: string;
}

export interface Desk {
  readonly room: Accessor<RoomView>;
  readonly text: Accessor<string>;
  readonly replyTo: Accessor<Seq | undefined>;
  readonly editing: Accessor<Editing | undefined>;
  /** The person writes. */
  write(text: string): void;
  reply(seq: Seq | undefined): void;
  edit(row: Pick<Row, 'seq' | 'text'>, text?: string): void;
  /** Leaves the edit; the draft from before is there again. */
  stopEdit(): void;
  /** Takes a message that was not sent back to be written anew. */
  takeBack(key: string): void;
  /** Sends, or saves the edit. False when there was nothing to do. */
  submit(): boolean;
  /** Takes over what another device or tab wrote. */
  readDraft(): void;
  /** Puts the caret into the composer. */
  focus(): void;
  onFocus(focus: () => void): void;
  /** Shows the newest message. */
  toEnd(): void;
  onToEnd(toEnd: () => void): void;
}

export const DeskContext = createContext<Desk>();

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('outside of a room');
  return desk;
}

export function createDesk(chat: Chat, room: Accessor<RoomView>): Desk {
  const id: RoomId = untrack(room).id;
  const draft = untrack(() => chat.state.drafts[id]);
  const [text, setText] = createSignal(draft?.text ?? '');
  const [replyTo, setReplyTo] = createSignal(draft?.replyTo);
  const [editing, setEditing] = createSignal<Editing>();
  let focus = (): void => {};
  let toEnd = (): void => {};
  let aside = { text: '', replyTo: undefined as Seq | undefined };

  const keepDraft = (): void => {
    if (!editing()) chat.setDraft(id, text(), replyTo());
  };
  const put = (next: string, answers: Seq | undefined): void => {
    setText(next);
    setReplyTo(answers);
    keepDraft();
  };
  const stopEdit = (): void => {
    if (!editing()) return;
    setEditing(undefined);
    setText(aside.text);
    setReplyTo(aside.replyTo);
  };

  return {
    room,
    text,
    replyTo,
    editing,
    write(next) {
      setText(next);
      keepDraft();
    },
    reply(seq) {
      stopEdit();
      setReplyTo(seq);
      keepDraft();
      focus();
    },
    edit(row, changed = row.text) {
      if (!editing()) aside = { text: text(), replyTo: replyTo() };
      setEditing({ seq: row.seq, before: row.text });
      setText(changed);
      setReplyTo(undefined);
      focus();
    },
    stopEdit,
    takeBack(key) {
      const unsent = chat.editUnsent(key);
      if (!unsent) return;
      stopEdit();
      const written = text().trim() ? `${text()}\n` : '';
      put(written + unsent.text, unsent.replyTo ?? replyTo());
      focus();
    },
    submit() {
      const now = editing();
      const written = text();
      if (!written.trim()) return false;
      if (now) {
        stopEdit();
        if (written !== now.before) void chat.edit(id, now.seq, written);
        return true;
      }
      if (!chat.send(id, written, replyTo())) return false;
      put('', undefined);
      return true;
    },
    readDraft() {
      const kept = chat.state.drafts[id];
      if (editing()) aside = { text: kept?.text ?? '', replyTo: kept?.replyTo };
      else {
        setText(kept?.text ?? '');
        setReplyTo(kept?.replyTo);
      }
    },
    focus: () => focus(),
    onFocus: (next) => (focus = next),
    toEnd: () => toEnd(),
    onToEnd: (next) => (toEnd = next),
  };
}
