import { createInstance, type i18n } from 'i18next';
import { en } from './en.ts';
import { ko } from './ko.ts';

export type Language = 'en' | 'ko';
export const LANGUAGES: readonly Language[] = ['en', 'ko'];

/** All messages by language; adding a language is one file and one line here. */
export const resources = { en: { translation: en }, ko: { translation: ko } } as const;

/** Looks up a message by its dotted key and fills `{{name}}` parameters. */
export type Translate = (key: string, params?: Readonly<Record<string, string | number>>) => string;

/** One i18next instance for a language; React escapes by itself and native menus take plain text, so nothing is escaped here. */
export function createI18n(language: Language): i18n {
  const instance = createInstance();
  void instance.init({
    lng: language,
    fallbackLng: 'en',
    resources,
    initAsync: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  return instance;
}

export function createTranslate(language: Language): Translate {
  const instance = createI18n(language);
  return (key, params) => instance.t(key, params ?? {});
}

/** The language that fits a BCP 47 tag of the system, English where none does. */
export function languageOf(tag: string): Language {
  return LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language) ?? 'en';
}
