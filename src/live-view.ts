/**
 * An object that is always the newest one: each member is read through when it is used, so whoever holds the view needs
 * no setter and no notice. A spread (`{ ...view }`) takes a copy whose members belong together; take one wherever several
 * members must come from the same object across an `await`.
 */
export function liveView<Value extends object>(newest: () => Value): Value {
  return new Proxy({ ...newest() }, { get: (_first, member): unknown => Reflect.get(newest(), member) });
}
