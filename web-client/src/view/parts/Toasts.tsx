/** Short words above the composer. They go after 6 s, not while they are looked at; those with an action stay. */
import { createEffect, For, onCleanup, Show } from 'solid-js';
import { t } from '../../words';
import { closeToast, toasts, type Toast } from '../layers';
import { Icon } from './Icon';

const shownMs = 6000;

function ToastLine(props: { toast: Toast }) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hold = (): void => clearTimeout(timer);
  const release = (): void => {
    hold();
    if (!props.toast.action) timer = setTimeout(() => closeToast(props.toast.id), shownMs);
  };
  release();
  onCleanup(hold);
  const act = (): void => {
    closeToast(props.toast.id);
    props.toast.action?.act();
  };
  return (
    <div class="toast" onPointerEnter={hold} onPointerLeave={release} onFocusIn={hold} onFocusOut={release}>
      <span class="grow">{props.toast.text}</span>
      <Show when={props.toast.action}>
        {(action) => (
          <button type="button" class="lk" onClick={act}>
            {action().label}
          </button>
        )}
      </Show>
      <button type="button" class="ib" aria-label={t('act.close')} onClick={() => closeToast(props.toast.id)}>
        <Icon name="x" small />
      </button>
    </div>
  );
}

export function Toasts() {
  let element!: HTMLDivElement;
  // Always there, so that readers hear what comes into it; put on top with each toast, over a dialog opened since.
  createEffect(() => {
    if (toasts().length > 0 && element.matches(':popover-open')) element.hidePopover();
    if (!element.matches(':popover-open')) element.showPopover();
  });
  return (
    <div class="toasts" role="status" popover="manual" ref={element}>
      <For each={toasts()}>{(one) => <ToastLine toast={one} />}</For>
    </div>
  );
}
