/** One field of a form: a real label, a hint, and an error that is read with it. */
import { createSignal, createUniqueId, Show, type JSX } from 'solid-js';
import { t } from '../../words';
import { Icon } from './Icon';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: 'text' | 'password' | 'search';
  readonly autocomplete?: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  /** Said beside the label, such as "optional". */
  readonly aside?: string;
  readonly placeholder?: string;
  readonly plain?: boolean;
  readonly disabled?: boolean;
  readonly first?: boolean;
  readonly ref?: (input: HTMLInputElement) => void;
  readonly children?: JSX.Element;
}

export function Field(props: FieldProps) {
  const id = createUniqueId();
  const [shown, setShown] = createSignal(false);
  const type = (): string => (props.type === 'password' && shown() ? 'text' : (props.type ?? 'text'));
  return (
    <div class="fld">
      <label for={id}>
        {props.label}
        <Show when={props.aside}>
          <span class="soft">{props.aside}</span>
        </Show>
      </label>
      <div class="ipt" classList={{ bad: props.error !== undefined }}>
        <input
          id={id}
          ref={(input) => props.ref?.(input)}
          type={type()}
          value={props.value}
          autocomplete={props.autocomplete ?? 'off'}
          autocapitalize={props.plain ? 'none' : undefined}
          spellcheck={props.plain ? false : undefined}
          placeholder={props.placeholder}
          disabled={props.disabled}
          data-first={props.first ? '' : undefined}
          aria-invalid={props.error === undefined ? undefined : 'true'}
          aria-describedby={(props.error ?? props.hint) === undefined ? undefined : `${id}-h`}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
        <Show when={props.type === 'password'}>
          <button
            type="button"
            class="ib"
            aria-label={shown() ? t('signin.hide') : t('signin.show')}
            aria-pressed={shown()}
            onClick={() => setShown(!shown())}
          >
            <Icon name={shown() ? 'eyeOff' : 'eye'} />
          </button>
        </Show>
        {props.children}
      </div>
      <Show when={props.error ?? props.hint}>
        {(text) => (
          <p class="hint" classList={{ err: props.error !== undefined }} id={`${id}-h`}>
            <Show when={props.error !== undefined}>
              <Icon name="alert" small />
            </Show>
            <span>{text()}</span>
          </p>
        )}
      </Show>
    </div>
  );
}
