/** Failures in words: what happened, then what to do. */
import type { Failure } from '../model';
import { t } from '../words';
import { countdown } from './time';

/** Why an action did not happen. */
export function failureWords(failure: Failure): string {
  const { reason, code, retryAfterMs } = failure;
  switch (reason) {
    case 'unreachable':
      return t('error.offline');
    case 'timed_out':
      return t('error.timeout');
    case 'unavailable':
      return t('error.unavailable', { n: Math.max(1, Math.ceil((retryAfterMs ?? 1000) / 1000)) });
    case 'too_frequent':
      return t('error.too_frequent', { time: countdown(retryAfterMs ?? 1000) });
    case 'not_allowed':
    case 'not_a_member':
    case 'recalled':
    case 'too_large':
    case 'unknown_user':
    case 'unknown_room':
      return t(`error.${reason}`);
    case 'last_owner':
      return t('panel.lastOwner');
    case 'unknown_invite':
      return t('invite.expired');
    case 'not_kept':
      return t('error.not_kept');
    default:
      return t('error.unknown', { code: code === 0 ? reason : String(code) });
  }
}

/** Why a message was not sent. */
export function sendWords(failure: Failure): string {
  const { reason, code } = failure;
  switch (reason) {
    case 'not_a_member':
    case 'not_allowed':
    case 'too_large':
    case 'key_conflict':
    case 'recalled':
    case 'unknown_room':
    case 'unknown_message':
      return t(`send.${reason}`);
    default:
      return t('send.failed', { code: code === 0 ? reason : String(code) });
  }
}
