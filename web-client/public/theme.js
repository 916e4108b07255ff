// Runs before the first paint: the theme and the language that were chosen on this device, else what the system says.
{
  const root = document.documentElement;
  let theme;
  let language;
  try {
    theme = localStorage.getItem('hubbub.theme');
    language = localStorage.getItem('hubbub.language');
  } catch {
    // A browser that forbids storage has nothing to tell.
  }
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  language ??= navigator.languages.find((one) => /^(en|zh)\b/.test(one)) ?? 'en';
  root.lang = language.startsWith('zh') ? 'zh' : 'en';
}
