/** Where messages are written. Enter sends, an input method never does. */
import { createEffect, createMemo, on, onCleanup, onMount, Show } from 'solid-js';
import { plainText, type TimelineView } from '../../model';
import { say, t } from '../../words';
import { useChat } from '../chat';
import { useDesk } from '../desk';
import { isOurs, isTouch } from '../keys';
import { setFocusFallback } from '../layers';
import { Icon } from '../parts/Icon';
import { nameOf } from '../parts/Person';
import { ctrlEnter } from '../preferences';
import { titleOf } from '../rooms/RoomLink';
import { Foot } from './Foot';
import { measure } from './length';

/** Whether the caret stands in a code block that is not closed yet: Enter breaks the line there. */
function inOpenFence(text: string): boolean {
  return (text.match(/^```/gm) ?? []).length % 2 === 1;
}

function ReplyBar() {
  const chat = useChat();
  const desk = useDesk();
  const item = createMemo(() => {
    const seq = desk.replyTo();
    return seq === undefined ? undefined : chat.quote(desk.room().id, seq);
  });
  const words = (): string => {
    const quoted = item();
    const text = quoted?.kind === 'message' ? plainText(quoted.text) : '';
    return t('composer.replying', { name: quoted ? nameOf(chat.person(quoted.sender)) : '…', text });
  };
  return (
    <div class="re">
      <Icon name="reply" small />
      <span class="cut grow">
        <bdi>{words()}</bdi>
      </span>
      <button type="button" class="ib" aria-label={t('composer.cancelReply')} onClick={() => desk.reply(undefined)}>
        <Icon name="x" small />
      </button>
    </div>
  );
}

function EditBar() {
  const desk = useDesk();
  return (
    <div class="re">
      <Icon name="edit" small />
      <span class="cut grow">{t('composer.editing')}</span>
      <button type="button" class="ib" aria-label={t('composer.cancelEdit')} onClick={() => desk.stopEdit()}>
        <Icon name="x" small />
      </button>
    </div>
  );
}

/** A text from another device that a newer one here replaced. */
function EarlierBar(props: { text: string }) {
  const desk = useDesk();
  return (
    <div class="re">
      <Icon name="clock" small />
      <span class="cut grow">
        {t('composer.earlier')}: <bdi>{plainText(props.text)}</bdi>
      </span>
      <button type="button" class="lk" onClick={() => desk.write(props.text)}>
        {t('composer.useEarlier')}
      </button>
    </div>
  );
}

export function Composer(props: { timeline: TimelineView | undefined; onSent: () => void }) {
  const chat = useChat();
  const desk = useDesk();
  let area!: HTMLTextAreaElement;
  let composing = false;

  const limit = (): number => (chat.state.session.phase === 'in' ? chat.state.session.limits.text_bytes : 16_384);
  const length = createMemo(() => measure(desk.text(), limit()));
  const canSend = (): boolean => desk.text().trim() !== '' && length().over === 0;
  const draft = () => chat.state.drafts[desk.room().id];

  const fit = (): void => {
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  };
  // The value is never rewritten while an input method composes.
  createEffect(() => {
    const text = desk.text();
    if (!composing && area.value !== text) area.value = text;
    fit();
  });
  const version = createMemo(() => draft()?.version ?? 0);
  createEffect(on(version, (now, before) => now > (before ?? 0) && !composing && desk.readDraft(), { defer: true }));
  onMount(() => {
    const focus = (): void => area.focus();
    desk.onFocus(() => {
      focus();
      area.setSelectionRange(area.value.length, area.value.length);
    });
    setFocusFallback(focus);
    if (!isTouch()) focus();
  });
  onCleanup(() => setFocusFallback(undefined));

  const onInput = (): void => {
    desk.write(area.value);
    if (!composing && !desk.editing() && area.value !== '') chat.typing(desk.room().id);
  };
  const submit = (): void => {
    if (!canSend()) return;
    const isNew = !desk.editing();
    if (desk.submit() && isNew) props.onSent();
    area.focus();
  };
  const editLast = (): boolean => {
    const last = props.timeline?.rows.findLast((row) => row.mine && row.kind === 'message' && row.seq > 0 && !row.recalled);
    if (!last) return false;
    desk.edit(last);
    return true;
  };
  const sends = (event: KeyboardEvent): boolean => {
    if (event.shiftKey || event.altKey) return false;
    if (event.ctrlKey || event.metaKey) return true;
    return !ctrlEnter() && !isTouch() && !inOpenFence(area.value.slice(0, area.selectionStart));
  };
  const escape = (): boolean => {
    if (desk.editing()) desk.stopEdit();
    else if (desk.replyTo() !== undefined) desk.reply(undefined);
    else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOurs(event)) return;
    const taken =
      (event.key === 'Enter' && sends(event) && (submit(), true)) ||
      (event.key === 'ArrowUp' && area.value === '' && !desk.editing() && editLast()) ||
      (event.key === 'Escape' && escape());
    if (!taken) return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section class="comp" aria-label={t('composer.region')} data-region>
      <div class="box">
        <Show when={desk.editing()}>
          <EditBar />
        </Show>
        <Show when={desk.replyTo() !== undefined && !desk.editing()}>
          <ReplyBar />
        </Show>
        <Show when={draft()?.earlier}>{(text) => <EarlierBar text={text()} />}</Show>
        <div class="row">
          <textarea
            ref={area}
            rows="1"
            aria-label={t('composer.label', { room: titleOf(desk.room()) })}
            placeholder={t('composer.label', { room: titleOf(desk.room()) })}
            enterkeyhint={isTouch() ? 'enter' : 'send'}
            onInput={onInput}
            onKeyDown={onKeyDown}
            on:compositionstart={() => (composing = true)}
            on:compositionend={() => {
              composing = false;
              onInput();
            }}
          />
          <button
            type="button"
            class="send"
            aria-label={desk.editing() ? t('composer.save') : t('composer.send')}
            aria-disabled={!canSend()}
            onPointerDown={(event) => event.preventDefault()}
            onClick={submit}
          >
            <Icon name={desk.editing() ? 'check' : 'send'} />
          </button>
        </div>
      </div>
      <Foot left={length().left} over={length().over} hint={say('composer.hint', hintKeys())} />
    </section>
  );
}

function hintKeys() {
  const send = ctrlEnter() ? t('composer.hintCtrl') : t('composer.hintEnter');
  const breaks = ctrlEnter() ? t('composer.hintEnter') : t('composer.hintShift');
  return { enter: <b>{send}</b>, shift: <b>{breaks}</b> };
}
