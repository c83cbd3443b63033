import { rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { commitFiles, failureOf, freshWorld, type OpenRepository, planMessage } from "./repository-world.ts";

export function pushCases(open: OpenRepository): void {
  describe("push", () => {
    const world = freshWorld(open);
    let remote: string;

    beforeEach(() => {
      const { sandbox } = world;
      remote = join(sandbox.home, "remoto.git");
      sandbox.git("init", "--quiet", "--bare", "--initial-branch=main", remote);
    });

    const remoteHead = (branch = "main") => world.sandbox.git("-C", remote, "rev-parse", branch);

    /** Somebody else's commit, from another clone. */
    async function pushedByOthers(): Promise<string> {
      const { sandbox } = world;
      const clone = join(sandbox.home, "outro");
      sandbox.git("clone", "--quiet", remote, clone);
      sandbox.git("-C", clone, "commit", "--quiet", "--allow-empty", "-m", "docs: de outra pessoa");
      sandbox.git("-C", clone, "push", "--quiet");
      await rm(clone, { recursive: true });
      return remoteHead();
    }

    it("does nothing without the remote", async () => {
      expect(await world.repository.push()).toBe("no-remote");
      expect(await world.repository.unpushed()).toBeUndefined();
      world.sandbox.git("remote", "add", "another", remote);
      expect(await world.repository.push()).toBe("no-remote");
    });

    it("pushes the branch, says when there is nothing to push, and counts what is not pushed", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", remote);
      expect(await repository.unpushed()).toBeUndefined();
      expect(await repository.push()).toBe("pushed");
      expect(await repository.unpushed()).toBe(0);
      expect(await repository.push()).toBe("up-to-date");
      await repository.commit([], planMessage());
      await repository.commit([], planMessage());
      expect(await repository.unpushed()).toBe(2);
      expect(await repository.push()).toBe("pushed");
      expect(await repository.unpushed()).toBe(0);
      expect(remoteHead()).toBe((await repository.head()).commit);
    });

    it("pushes this branch only, and no tags, whatever push.default and push.followTags say", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", remote);
      sandbox.git("config", "push.default", "matching");
      sandbox.git("config", "push.followTags", "true");
      sandbox.git("branch", "private");
      sandbox.git("tag", "-a", "v1", "-m", "v1");
      await repository.push();
      expect(sandbox.git("-C", remote, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
    });

    it("pushes to the branch that this one follows", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", remote);
      sandbox.git("push", "--quiet", "--set-upstream", "origin", "main:trunk");
      await repository.commit([], planMessage());
      expect(await repository.unpushed()).toBe(1);
      expect(await repository.push()).toBe("pushed");
      expect(remoteHead("trunk")).toBe((await repository.head()).commit);
      expect(await repository.unpushed()).toBe(0);
    });

    it("says that the remote has moved on, and overwrites nothing even where force is configured", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", remote);
      sandbox.git("config", "remote.origin.push", "+refs/heads/*:refs/heads/*");
      await repository.push();
      const theirs = await pushedByOthers();
      await repository.commit([], planMessage());
      expect(await repository.push()).toBe("diverged");
      sandbox.git("fetch", "--quiet");
      expect(await repository.push()).toBe("diverged");
      expect(remoteHead()).toBe(theirs);
      sandbox.git("merge", "--quiet", "--no-edit", "origin/main");
      expect(await repository.push()).toBe("pushed");
    });

    it("reports a remote that refuses with its reason", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", remote);
      await sandbox.write("../home/remoto.git/hooks/update", "#!/bin/sh\necho 'ramo protegido' >&2; exit 1\n");
      sandbox.git("-c", "alias.x=!chmod +x", "x", join(remote, "hooks/update"));
      const failure = await failureOf(repository.push());
      expect(failure).toMatchObject({ kind: "terminal", code: "push-rejected", message: expect.stringContaining("ramo protegido") });
    });

    it("reports a remote out of reach as a service that is away, without the credentials of its address", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", "http://ana:sup3rs3cret@127.0.0.1:9/x.git");
      const failure = await failureOf(repository.push());
      expect(failure).toMatchObject({ kind: "unavailable", code: "push-failed" });
      expect(JSON.stringify(failure.toDocument())).not.toContain("sup3rs3cret");
      sandbox.git("remote", "set-url", "origin", join(sandbox.home, "gone.git"));
      expect(await failureOf(repository.push())).toMatchObject({ kind: "unavailable", code: "push-failed" });
    });

    it("hands SSH over without a way to ask", async () => {
      const { sandbox, repository } = world;
      await sandbox.write(
        "../home/ssh",
        '#!/bin/sh\necho "$@ | $GIT_TERMINAL_PROMPT | $SSH_ASKPASS_REQUIRE" > "$HOME/ssh-call"; exit 255\n',
      );
      sandbox.git("-c", "alias.x=!chmod +x", "x", join(sandbox.home, "ssh"));
      sandbox.git("config", "core.sshCommand", `${sandbox.home}/ssh`);
      sandbox.git("remote", "add", "origin", "git@127.0.0.1:x/y.git");
      expect((await failureOf(repository.push())).code).toBe("push-failed");
      expect(sandbox.git("-c", `alias.x=!cat ${sandbox.home}/ssh-call`, "x")).toMatch(
        /-oBatchMode=yes .*git@127\.0\.0\.1.* \| 0 \| never/u,
      );
    });

    it("refuses on a detached HEAD, and counts nothing there", async () => {
      const { sandbox, repository } = world;
      sandbox.git("remote", "add", "origin", remote);
      await commitFiles(sandbox, { "a.txt": "1\n" });
      sandbox.git("checkout", "--quiet", "--detach");
      expect((await failureOf(repository.push())).code).toBe("detached-head");
      expect(await repository.unpushed()).toBeUndefined();
    });
  });
}
