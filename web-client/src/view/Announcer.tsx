/** Says new messages of the open room to screen readers: at most one each 2 s, a burst as a number. */
import { createSignal, onCleanup, Show } from 'solid-js';
import { plainText } from '../model';
import { t } from '../words';
import { useChat } from './chat';
import { nameOf } from './parts/Person';
import { announce } from './preferences';

const pauseMs = 2000;

export function Announcer() {
  const chat = useChat();
  const [line, setLine] = createSignal('');
  let waiting: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const speak = (): void => {
    timer = undefined;
    if (waiting.length === 0) return;
    setLine(waiting.length === 1 ? (waiting[0] ?? '') : t('say.many', { n: waiting.length }));
    waiting = [];
    timer = setTimeout(speak, pauseMs);
  };
  onCleanup(
    chat.onNotice((notice) => {
      if (notice.type !== 'message' || !notice.open || !announce()) return;
      waiting.push(t('say.new', { name: nameOf(chat.person(notice.row.sender)), text: plainText(notice.row.text) }));
      timer ??= setTimeout(speak, 0);
    }),
  );
  onCleanup(() => clearTimeout(timer));
  return (
    <div class="sr" role="log" aria-label={t('say.label')}>
      <Show when={line()} keyed>
        {(words) => <p>{words}</p>}
      </Show>
    </div>
  );
}
