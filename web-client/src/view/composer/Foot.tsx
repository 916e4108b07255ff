/** Under the composer, always of one height: who is typing, what will happen to a message, how long it may get. */
import { Match, Show, Switch, type JSX } from 'solid-js';
import { t } from '../../words';
import { useChat } from '../chat';
import { useDesk } from '../desk';
import { isTouch } from '../keys';
import { nameOf } from '../parts/Person';

function Typing() {
  const chat = useChat();
  const desk = useDesk();
  const names = (): string[] => (chat.state.typing[desk.room().id] ?? []).map((user) => nameOf(chat.person(user)));
  const words = (): string => {
    const [a, b, more] = names();
    if (a === undefined) return '';
    if (more !== undefined) return t('typing.many');
    return b === undefined ? t('typing.one', { a }) : t('typing.two', { a, b });
  };
  return (
    <Show when={words()}>
      <span class="typing">
        <span class="dots" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        <bdi class="cut">{words()}</bdi>
      </span>
    </Show>
  );
}

export function Foot(props: { left: number | undefined; over: number; hint: JSX.Element }) {
  const chat = useChat();
  const away = (): boolean => chat.state.connection.state === 'offline' || chat.state.connection.state === 'reconnecting';
  return (
    <div class="foot">
      <Show when={!away()} fallback={<span class="cut">{t('net.offlineFoot')}</span>}>
        <span class="cut">
          <Typing />
        </span>
      </Show>
      <Switch>
        <Match when={props.over > 0}>
          <span class="over num" role="status">
            {t('composer.over', { n: props.over })}
          </span>
        </Match>
        <Match when={props.left !== undefined}>
          <span class="num">{t('composer.left', { n: props.left ?? 0 })}</span>
        </Match>
        <Match when={!isTouch()}>
          <span class="only-wide">{props.hint}</span>
        </Match>
      </Switch>
    </div>
  );
}
