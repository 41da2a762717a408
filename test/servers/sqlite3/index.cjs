const { DatabaseSync } = require("node:sqlite");

/** Calls back later with what `work` gives, or with its error, as the package it stands for does. */
function settle(work, callback) {
  queueMicrotask(() => {
    let value;
    try {
      value = work();
    } catch (error) {
      callback?.call({}, error);
      return;
    }
    callback?.call(value, null, value);
  });
}

class Database {
  constructor(file, callback) {
    this.opened = new DatabaseSync(file);
    settle(() => this, callback);
  }

  all(sql, values, callback) {
    settle(() => this.opened.prepare(sql).all(...values), callback);
  }

  run(sql, values, callback) {
    settle(() => {
      const { changes, lastInsertRowid } = this.opened.prepare(sql).run(...values);
      return { changes: Number(changes), lastID: Number(lastInsertRowid) };
    }, callback);
  }
}

module.exports = { Database, verbose: () => module.exports };
