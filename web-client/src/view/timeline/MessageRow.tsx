/** One message: who, when, what; what it answers; how far it has come when it is mine. */
import { createMemo, createSignal, For, Match, onCleanup, Show, Switch } from 'solid-js';
import { plainText, type Row, type SendView, type TimelineItem, type UserId } from '../../model';
import { listOf, say, t } from '../../words';
import { useChat } from '../chat';
import { useDesk } from '../desk';
import { sendWords } from '../failure';
import { Icon } from '../parts/Icon';
import { Avatar, Name, nameOf } from '../parts/Person';
import { RichText } from '../parts/RichText';
import { clock, countdown, createTicker, fullTime } from '../time';
import { useActions } from './actions';
import { RowActions } from './RowActions';

/** A message under way shows its clock after this long. */
const clockAfterMs = 400;
const mostSeenFaces = 3;

/** Whether to say that a message waits, now that it has for a while. */
function createWaiting(send: () => SendView | undefined): () => boolean {
  const [late, setLate] = createSignal(false);
  const since = createMemo(() => {
    const now = send();
    return now?.state === 'sending' ? now.since : undefined;
  });
  const watched = createMemo(() => {
    const start = since();
    setLate(false);
    if (start === undefined) return;
    const timer = setTimeout(() => setLate(true), Math.max(0, start + clockAfterMs - Date.now()));
    onCleanup(() => clearTimeout(timer));
  });
  return () => {
    watched();
    const state = send()?.state;
    return state === 'queued' || state === 'waiting' || state === 'delayed' || (state === 'sending' && late());
  };
}

function Delay(props: { goesAt: number }) {
  const now = createTicker();
  return <>{t('send.slow', { time: countdown(props.goesAt - now()) })}</>;
}

/** What stands in the place of the time while a message waits. */
function WaitingWords(props: { send: SendView | undefined }) {
  const goesAt = (): number | undefined => (props.send?.state === 'delayed' ? props.send.goesAt : undefined);
  return (
    <span class="st num">
      <Icon name="clock" small />
      <Switch fallback={t('timeline.sending')}>
        <Match when={goesAt()}>{(at) => <Delay goesAt={at()} />}</Match>
        <Match when={props.send?.state === 'waiting' || props.send?.state === 'queued'}>{t('send.waiting')}</Match>
      </Switch>
    </span>
  );
}

function Quote(props: { row: Row }) {
  const chat = useChat();
  const desk = useDesk();
  const actions = useActions();
  const item = createMemo((): TimelineItem | undefined => {
    const { replyTo } = props.row;
    return replyTo === undefined ? undefined : chat.quote(desk.room().id, replyTo);
  });
  const author = (): string => {
    const sender = item()?.sender;
    return sender === undefined ? '…' : nameOf(chat.person(sender));
  };
  const text = (): string => {
    const quoted = item();
    if (!quoted) return '…';
    return quoted.recalled || quoted.kind !== 'message' ? t('rooms.recalled') : plainText(quoted.text);
  };
  return (
    <button
      type="button"
      class="quote"
      tabindex="-1"
      aria-label={`${t('timeline.jump', { name: author() })}: ${text()}`}
      onClick={() => props.row.replyTo !== undefined && actions.jump(props.row.replyTo)}
    >
      <b class="cut">
        <Name name={author()} />
      </b>
      <bdi class="cut">{text()}</bdi>
    </button>
  );
}

/** Why it was not sent, and what can be done. */
function Refused(props: { row: Row; send: Extract<SendView, { state: 'refused' }> }) {
  const chat = useChat();
  const desk = useDesk();
  return (
    <div class="why" role="group" aria-label={t('timeline.notSent')}>
      <span role="alert">
        <Icon name="alert" small />
        {sendWords(props.send.failure)}
      </span>
      <button type="button" class="btn sm" onClick={() => desk.takeBack(props.row.id)}>
        <Icon name="edit" small />
        {t('act.edit')}
      </button>
      <Show when={props.send.canRetry}>
        <button type="button" class="btn sm" onClick={() => chat.retry(props.row.id)}>
          {t('act.retry')}
        </button>
      </Show>
      <button type="button" class="btn sm quiet" onClick={() => chat.discard(props.row.id)}>
        {t('act.delete')}
      </button>
    </div>
  );
}

/** The tick on my newest message, and who has read it. */
function Seen(props: { row: Row }) {
  const chat = useChat();
  const desk = useDesk();
  const readers = createMemo((): readonly UserId[] =>
    Object.entries(chat.state.reads[desk.room().id] ?? {})
      .filter(([user, seq]) => user !== props.row.sender && seq >= props.row.seq)
      .map(([user]) => user),
  );
  const faces = (): readonly UserId[] => readers().slice(0, mostSeenFaces);
  const more = (): number => readers().length - faces().length;
  const label = (): string => {
    const names = faces().map((user) => nameOf(chat.person(user)));
    const all = listOf(names);
    return t('timeline.seen', { names: more() > 0 ? t('timeline.seenMore', { names: all, n: more() }) : all });
  };
  return (
    <Show when={readers().length > 0} fallback={<Icon name="check" small label={t('timeline.sent')} />}>
      <span class="stack" role="img" aria-label={label()} title={label()}>
        <For each={faces()}>{(user) => <Avatar user={chat.person(user)} size={20} />}</For>
        <Show when={more() > 0}>
          <span class="num">+{more()}</span>
        </Show>
      </span>
    </Show>
  );
}

function Recalled(props: { row: Row }) {
  const chat = useChat();
  const words = () => {
    const { recalled, sender } = props.row;
    const name = <Name name={nameOf(chat.person(recalled?.by ?? sender))} />;
    if (!recalled || recalled.by === sender) return say('recall.line', { name });
    return say('recall.byOther', { name, author: <Name name={nameOf(chat.person(sender))} /> });
  };
  return (
    <p class="gone">
      <Icon name="undo" small />
      <span>{words()}</span>
    </p>
  );
}

export function MessageRow(props: { row: Row; first: boolean; newest: boolean }) {
  const chat = useChat();
  const actions = useActions();
  const author = createMemo(() => chat.person(props.row.sender));
  const waiting = createWaiting(() => props.row.send);
  const refused = (): Extract<SendView, { state: 'refused' }> | undefined => {
    const { send } = props.row;
    return send?.state === 'refused' ? send : undefined;
  };
  const me = () => (chat.state.session.phase === 'in' ? chat.state.session.user.username : undefined);
  const label = (): string => {
    const state = refused() ? t('timeline.notSent') : waiting() ? t('timeline.waiting') : undefined;
    return [nameOf(author()), clock(props.row.at), ...(state ? [state] : [])].join(', ');
  };
  const edited = (): string | undefined =>
    props.row.editedAt === undefined ? undefined : t('timeline.editedAt', { time: fullTime(props.row.editedAt) });

  return (
    <article
      class="msg"
      classList={{
        first: props.first,
        wait: waiting(),
        fail: refused() !== undefined,
        'for-me': props.row.mention && !props.row.mine,
        held: actions.held() === props.row.id,
        flash: actions.flashed() === props.row.id,
      }}
      data-row={props.row.id}
      data-state={props.row.send?.state ?? 'sent'}
      tabindex={actions.current() === props.row.id ? 0 : -1}
      aria-label={label()}
    >
      <Show
        when={props.first}
        fallback={
          <span class="gut" classList={{ kept: waiting() }}>
            <Show when={waiting()} fallback={<time dateTime={new Date(props.row.at).toISOString()}>{clock(props.row.at)}</time>}>
              <Icon name="clock" small label={t('timeline.waiting')} />
            </Show>
          </span>
        }
      >
        <Avatar user={author()} />
      </Show>
      <div class="b">
        <Show when={props.first}>
          <div class="hd">
            <b class="cut">
              <Name name={nameOf(author())} />
            </b>
            <Show
              when={waiting()}
              fallback={
                <time dateTime={new Date(props.row.at).toISOString()} title={fullTime(props.row.at)}>
                  {clock(props.row.at)}
                </time>
              }
            >
              <WaitingWords send={props.row.send} />
            </Show>
          </div>
        </Show>
        <Show when={!props.row.recalled} fallback={<Recalled row={props.row} />}>
          <Show when={props.row.replyTo !== undefined}>
            <Quote row={props.row} />
          </Show>
          <RichText text={props.row.text} me={me()} edited={edited()} />
        </Show>
        <Show when={refused()}>{(send) => <Refused row={props.row} send={send()} />}</Show>
      </div>
      <Show when={props.row.mine && !props.row.recalled}>
        <div class="seen">
          <Show when={props.newest && props.row.send === undefined}>
            <Seen row={props.row} />
          </Show>
        </div>
      </Show>
      <Show when={actions.active() === props.row.id}>
        <RowActions row={props.row} />
      </Show>
    </article>
  );
}
