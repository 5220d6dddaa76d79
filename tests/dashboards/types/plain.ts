// What is written in a file in place of a type's enumerations: their texts.
import type { Dashboard, Panel } from '@grafana/schema';

export type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : T extends object
        ? { [Key in keyof T]: Plain<T[Key]> }
        : T;

export type PlainDashboard = Plain<Omit<Dashboard, 'panels'>>;
export type PlainPanel = Plain<Panel>;
