/** The session was ended elsewhere: one page says why, by which device and when. Nothing here reconnects. */
import { createMemo, For, onMount, Show } from 'solid-js';
import type { EndReason, Kept, SessionEnd } from '../../model';
import { listOf, t } from '../../words';
import { useChat } from '../chat';
import { toast } from '../layers';
import { Icon } from '../parts/Icon';
import { cleanName } from '../parts/Person';
import { dayAndClock } from '../time';
import '../../style/solo.css';

function words(end: SessionEnd): { title: string; lead: string } {
  const device = end.device && cleanName(end.device.name);
  const by: Record<EndReason, () => { title: string; lead: string }> = {
    displaced: () => ({ title: t('ended.displacedTitle', { what: t(`what.${end.device?.class ?? 'device'}`) }), lead: t('ended.displaced') }),
    logged_out: () => ({ title: t('ended.logoutTitle'), lead: device ? t('ended.logoutFrom', { device }) : t('ended.logout') }),
    password_changed: () => ({ title: t('ended.passwordTitle'), lead: t('ended.password') }),
    banned: () => ({ title: t('ended.bannedTitle'), lead: t('ended.banned') }),
    account_deleted: () => ({ title: t('ended.deletedTitle'), lead: t('ended.deleted') }),
    expired: () => ({ title: t('ended.expiredTitle'), lead: t('ended.expired') }),
    token_reused: () => ({ title: t('ended.reusedTitle'), lead: t('ended.reused') }),
  };
  return by[end.reason]();
}

function keptWords(kept: Kept): string {
  const parts = [
    ...(kept.unsent > 0 ? [t('ended.messages', { n: kept.unsent })] : []),
    ...(kept.drafts > 0 ? [t('ended.drafts', { n: kept.drafts })] : []),
  ];
  return t('ended.kept', { what: listOf(parts) });
}

export default function Ended(props: { end: SessionEnd; kept: Kept }) {
  const chat = useChat();
  const said = createMemo(() => words(props.end));
  let heading!: HTMLHeadingElement;
  onMount(() => {
    document.title = `${said().title} · ${t('app.name')}`;
    heading.focus();
  });
  const facts = createMemo(() => {
    const { device, place, at } = props.end;
    return [
      ...(device ? [{ name: t('ended.device'), value: cleanName(device.name) || t('ended.unknownDevice') }] : []),
      ...(place ? [{ name: t('ended.place'), value: place }] : []),
      { name: t('ended.time'), value: dayAndClock(at) },
    ];
  });
  const displaced = (): boolean => props.end.reason === 'displaced';
  const wipe = (): void => {
    chat.backToSignIn({ wipe: true });
    toast(t('ended.removed'));
  };

  return (
    <div class="solo">
      <main class="sheet" aria-labelledby="ended-title">
        <div class="glyph">
          <Icon name={displaced() ? 'swap' : 'out'} />
        </div>
        <h1 id="ended-title" tabindex="-1" ref={heading}>
          {said().title}
        </h1>
        <p class="lead">{said().lead}</p>
        <dl class="facts">
          <For each={facts()}>
            {(fact) => (
              <div>
                <dt>{fact.name}</dt>
                <dd class="num">{fact.value}</dd>
              </div>
            )}
          </For>
        </dl>
        <Show when={props.kept.unsent + props.kept.drafts > 0}>
          <div class="note">
            <Icon name="clock" />
            <span>{keptWords(props.kept)}</span>
          </div>
        </Show>
        <div class="go">
          <button type="button" class="btn primary" onClick={() => chat.backToSignIn()}>
            {displaced() ? t('ended.here') : t('ended.again')}
          </button>
        </div>
        <p class="fine">
          {t('ended.shared')}{' '}
          <button type="button" class="plain" onClick={wipe}>
            {t('ended.remove')}
          </button>
        </p>
      </main>
    </div>
  );
}
