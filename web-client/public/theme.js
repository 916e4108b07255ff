// Before the first paint: theme and language.
{
  const root = document.documentElement;
  let theme;
  let language;
  try {
    theme = localStorage.getItem('hubbub.theme');
    language = localStorage.getItem('hubbub.language');
  } catch {
    // No storage here.
  }
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  language ??= navigator.languages.find((one) => /^(en|zh)\b/.test(one)) ?? 'en';
  root.lang = language.startsWith('zh') ? 'zh' : 'en';
}
