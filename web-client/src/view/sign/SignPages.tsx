/** The pages of someone who is not signed in. */
import { lazy, Show, Suspense } from 'solid-js';
import { route } from '../route';
import { SignIn } from './SignIn';
import '../../style/pages.css';

const SignUp = lazy(() => import('./SignUp'));

export default function SignPages() {
  return (
    <Show when={route().page === 'sign-up'} fallback={<SignIn />}>
      <Suspense>
        <SignUp />
      </Suspense>
    </Show>
  );
}
