/** What can be done with the rows of the open timeline, and which of them has the pointer, the focus or a menu. */
import { createContext, createSignal, useContext, type Accessor } from 'solid-js';
import type { Row, Seq } from '../../model';
import { t } from '../../words';
import { useChat } from '../chat';
import { useDesk } from '../desk';
import { openDialog, openMenu, type MenuItem, type MenuView } from '../layers';
import { copyText } from '../parts/copy';
import { paths } from '../route';

export interface Actions {
  /** The row with the focus, or that had it last. */
  readonly current: Accessor<string | undefined>;
  readonly setCurrent: (row: string | undefined) => void;
  /** The row under the pointer, or the focused one: its toolbar shows. */
  readonly active: Accessor<string | undefined>;
  readonly setActive: (row: string | undefined) => void;
  /** The row whose menu is open. */
  readonly held: Accessor<string | undefined>;
  /** The row that was jumped to, for a moment. */
  readonly flashed: Accessor<string | undefined>;
  readonly flash: (row: string) => void;
  /** Brings a message into view. */
  readonly jump: (seq: Seq) => void;
  readonly canReply: (row: Row) => boolean;
  readonly canEdit: (row: Row) => boolean;
  readonly canRecall: (row: Row) => boolean;
  readonly recall: (row: Row) => void;
  readonly menu: (row: Row, at: HTMLElement, how?: Pick<MenuView, 'point' | 'byFinger'>) => void;
}

export const ActionsContext = createContext<Actions>();

export function useActions(): Actions {
  const actions = useContext(ActionsContext);
  if (!actions) throw new Error('outside of a timeline');
  return actions;
}

const flashMs = 1600;

export function createActions(jump: (seq: Seq) => void): Actions {
  const chat = useChat();
  const desk = useDesk();
  const [current, setCurrent] = createSignal<string>();
  const [active, setActive] = createSignal<string>();
  const [held, setHeld] = createSignal<string>();
  const [flashed, setFlashed] = createSignal<string>();

  const stands = (row: Row): boolean => row.kind === 'message' && row.seq > 0 && !row.recalled;
  const canRecall = (row: Row): boolean =>
    stands(row) && (row.mine || (desk.room().kind !== 'direct' && desk.room().role !== 'member'));
  const recall = (row: Row): void => openDialog({ kind: 'recall', room: desk.room(), row });

  const items = (row: Row): MenuItem[] => {
    const room = desk.room();
    const link = location.origin + paths.message(room.id, row.seq);
    const all: (MenuItem | false)[] = [
      stands(row) && { icon: 'reply', label: t('message.reply'), keys: 'R', act: () => desk.reply(row.seq) },
      row.text !== '' && { icon: 'copy', label: t('message.copy'), act: () => void copyText(row.text) },
      stands(row) && { icon: 'link', label: t('message.copyLink'), act: () => void copyText(link, t('invite.copied')) },
      stands(row) && row.mine && { icon: 'edit', label: t('message.edit'), keys: 'E', act: () => desk.edit(row) },
      canRecall(row) && { icon: 'trash', label: t('message.recall'), keys: '⌫', bad: true, act: () => recall(row) },
      row.send?.state === 'queued' && { icon: 'trash', label: t('act.delete'), bad: true, act: () => chat.discard(row.id) },
    ];
    return all.filter((item) => item !== false);
  };

  return {
    current,
    setCurrent,
    active: () => held() ?? active(),
    setActive,
    held,
    flashed,
    flash(row) {
      setFlashed(row);
      setTimeout(() => setFlashed((now) => (now === row ? undefined : now)), flashMs);
    },
    jump,
    canReply: stands,
    canEdit: (row) => stands(row) && row.mine,
    canRecall,
    recall,
    menu(row, at, how) {
      const choices = items(row);
      if (choices.length === 0) return;
      setHeld(row.id);
      openMenu({ label: t('message.actions'), items: choices, at, ...how, onClose: () => setHeld(undefined) });
    },
  };
}
