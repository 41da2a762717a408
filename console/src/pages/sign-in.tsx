import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { SessionBody } from "../../../src/http/contract.ts";
import { sessionQuery } from "../gateway/queries.ts";
import { request } from "../gateway/request.ts";
import { Button } from "../parts/button.tsx";
import { Notice, useSay } from "../shell/notice.tsx";
import { Mark } from "../shell/shell.tsx";

/** With a password, or with a personal token. */
export function SignInPage(): ReactNode {
  const queries = useQueryClient();
  const say = useSay();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);

  async function signIn(event: FormEvent): Promise<void> {
    event.preventDefault();
    const fields = new FormData(form.current ?? undefined);
    const text = (name: string) => {
      const value = fields.get(name);
      return typeof value === "string" ? value : "";
    };
    const token = text("token").trim();
    const body = token === "" ? { account: text("account").trim(), password: text("password") } : { token };
    setBusy(true);
    try {
      const session = await request<SessionBody>({ method: "POST", path: "session", body });
      say("");
      queries.setQueryData(sessionQuery.queryKey, session);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error), "bad");
      setBusy(false);
      form.current?.querySelector<HTMLInputElement>(token === "" ? "#password" : "#token")?.select();
    }
  }

  return (
    <div className="flex min-h-dvh flex-col">
      <Notice />
      <main id="main" className="grid flex-1 place-items-center px-4 py-10">
        <form
          ref={form}
          onSubmit={(event) => void signIn(event)}
          className="card w-full max-w-96 space-y-4 p-7"
        >
          <div className="flex items-center gap-3">
            <Mark />
            <h1 className="text-xl font-semibold">Sign in to ATLAS</h1>
          </div>
          <Fields />
          <Button type="submit" look="main" disabled={isBusy} className="w-full">
            Sign in
          </Button>
        </form>
      </main>
    </div>
  );
}

function Fields(): ReactNode {
  return (
    <>
      <label className="block">
        <span className="mb-1 block">Account</span>
        <input
          id="account"
          name="account"
          className="field"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
        />
      </label>
      <label className="block">
        <span className="mb-1 block">Password</span>
        <input
          id="password"
          name="password"
          type="password"
          className="field"
          autoComplete="current-password"
        />
      </label>
      <p className="flex items-center gap-3 text-quiet before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        or
      </p>
      <label className="block">
        <span className="mb-1 block">Token</span>
        <input
          id="token"
          name="token"
          type="password"
          className="field"
          autoComplete="off"
          spellCheck={false}
          placeholder="atlas_person_…"
        />
      </label>
      <p className="text-[0.87rem] text-quiet">
        A token is a person's own. An agent's credential does not open this page.
      </p>
    </>
  );
}
