/** About a room: its people and what may be done; every act that matters says first what will happen. */

import { html, nothing, type TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Args, CommandName, Engine, Friend, Id, RoomMember, RoomSummary } from "../engine/contract.ts";
import { words } from "../i18n/index.ts";
import { outcomeOf } from "./asking.ts";
import { showCompare } from "./compare.ts";
import { confirmed, showDialog, type Question } from "./dialog.ts";
import { showFriendProfile } from "./friend_profile.ts";
import { icon } from "./icons.ts";
import { LightElement } from "./light.ts";
import { navigate } from "./navigation.ts";
import { notify, notifyFailure } from "./notices.ts";
import { avatar, name } from "./person.ts";
import { historyPart } from "./room_history.ts";
import "./room_invite.ts";
import { titleOf } from "./rooms.ts";

type Act = "profile" | "compare" | "admin" | "remove";

/** `<gamrae-room-details .engine .room .myId .friends @close>` */
@customElement("gamrae-room-details")
export class RoomDetails extends LightElement {
  @property({ attribute: false }) engine!: Engine;
  @property({ attribute: false }) room!: RoomSummary;
  @property({ attribute: false }) myId: Id = "";
  @property({ attribute: false }) friends: Friend[] = [];
  @state() private working = false;

  override firstUpdated(): void {
    this.querySelector<HTMLElement>(".details-close")?.focus();
  }

  override render() {
    const t = words().details;
    const { room } = this;
    const isMember = room.left === null;
    return html`<aside class="details" aria-labelledby="details-head">
      <header class="room-head">
        <button type="button" class="icon-button details-close" aria-label=${words().common.close} @click=${() => this.dispatchEvent(new CustomEvent("close"))}>${icon("close")}</button>
        <h2 id="details-head">${t.title}</h2>
      </header>
      <div class="details-body" aria-busy=${this.working}>
        <p class="details-title">${name(titleOf(room))}</p>
        ${room.kind === "group" && isMember ? this.groupActions() : nothing}
        <h3>${t.people(room.members.length)}</h3>
        <ul class="items-list">${repeat(room.members, (member) => member.userId, (member) => this.person(member))}</ul>
        ${historyPart(room, this.working, this.endHistory)}
        <p class="hint" role="status">${this.working ? t.working : ""}</p>
        ${this.endings(isMember)}
      </div>
    </aside>`;
  }

  private groupActions(): TemplateResult {
    const t = words().details;
    return html`<div class="details-actions">
      <button type="button" class="button small quiet" ?disabled=${this.working} @click=${this.rename}>${icon("edit")}${t.rename}</button>
      <button type="button" class="button small quiet" ?disabled=${this.working} @click=${this.invite}>${icon("addFriend")}${t.invite}</button>
    </div>`;
  }

  private person(member: RoomMember): TemplateResult {
    const t = words().details;
    const label = html`${avatar(member)}<span class="row-text">${name(member.nickname)}</span>
      ${member.userId === this.myId ? html`<span class="tag">${t.me}</span>` : nothing}
      ${member.trust === "changed" || member.trust === "verified_changed" ? html`<span class="tag">${t.changed}</span>` : nothing}
      ${member.role === "admin" && this.room.kind === "group" ? html`<span class="tag">${t.admin}</span>` : nothing}`;
    if (this.actsFor(member).length === 0) return html`<li><div class="row">${label}</div></li>`;
    return html`<li><button type="button" class="row" aria-haspopup="dialog" ?disabled=${this.working} @click=${() => this.choose(member)}>${label}</button></li>`;
  }

  private actsFor(member: RoomMember): Act[] {
    if (member.userId === this.myId) return [];
    const mayManage = this.room.isAdmin && this.room.kind === "group" && this.room.left === null;
    // A fellow member need not be a friend to be looked at when their account has changed.
    const acts: Act[] = [this.friendOf(member) === null ? "compare" : "profile"];
    if (mayManage && member.role !== "admin") acts.push("admin");
    if (mayManage) acts.push("remove");
    return acts;
  }

  private friendOf(member: RoomMember): Friend | null {
    return this.friends.find((friend) => friend.userId === member.userId) ?? null;
  }

  private endings(isMember: boolean): TemplateResult {
    const t = words().details;
    const group = this.room.kind === "group" && isMember;
    const button = (text: string, act: () => unknown): TemplateResult =>
      html`<button type="button" class="button text-danger" ?disabled=${this.working} @click=${act}>${text}</button>`;
    return html`<div class="endings">
      ${group ? button(t.leave, this.leave) : nothing}
      ${button(t.hide, this.hide)}
      ${group && this.room.isAdmin ? button(t.delete, this.deleteForAll) : nothing}
    </div>`;
  }

  private async choose(member: RoomMember): Promise<void> {
    const t = words().details;
    const labels: Record<Act, string> = {
      profile: words().profile.title(member.nickname),
      compare: words().trust.compare,
      admin: t.makeAdmin,
      remove: t.removeMember,
    };
    const act = await showDialog<Act>(
      (done) => html`<div class="choices">${this.actsFor(member).map(
        (each) => html`<button type="button" class="button ${each === "remove" ? "text-danger" : "quiet"}" @click=${() => done(each)}>${labels[each]}</button>`,
      )}</div>`,
      { title: t.actionsFor(member.nickname), kind: "sheet" },
    );
    if (act === "profile") this.showProfile(member);
    if (act === "compare") void showCompare(this.engine, { ...member, trust: member.trust ?? "unverified" });
    if (act === "admin") await this.makeAdmin(member);
    if (act === "remove") await this.removeMember(member);
  }

  private showProfile(member: RoomMember): void {
    const friend = this.friendOf(member);
    if (friend !== null) void showFriendProfile(this.engine, friend);
  }

  private makeAdmin({ userId, nickname }: RoomMember): Promise<boolean> {
    const t = words().details;
    const question = { title: t.makeAdminTitle(nickname), text: t.makeAdminText, action: t.makeAdmin, danger: false };
    return this.askFirst(question, "room_make_admin", { roomId: this.room.roomId, userId });
  }

  private removeMember({ userId, nickname }: RoomMember): Promise<boolean> {
    const t = words().details;
    const question = { title: t.removeTitle(nickname), text: t.removeText(nickname), action: t.removeMember };
    return this.askFirst(question, "room_remove_member", { roomId: this.room.roomId, userId });
  }

  private readonly leave = (): void => {
    const t = words().details;
    const admins = this.room.members.filter((member) => member.role === "admin");
    if (this.room.isAdmin && admins.length === 1 && this.room.members.length > 1) {
      notify(t.lastAdmin);
      return;
    }
    void this.askFirst({ title: t.leaveTitle, text: t.leaveText, action: t.leave }, "room_leave", { roomId: this.room.roomId });
  };

  private readonly hide = async (): Promise<void> => {
    const t = words().details;
    const question = { title: t.hideTitle, text: t.hideText, action: t.hide };
    if (await this.askFirst(question, "room_hide", { roomId: this.room.roomId })) navigate({ page: "rooms" });
  };

  private readonly deleteForAll = async (): Promise<void> => {
    const t = words().details;
    const question = { title: t.deleteTitle, text: t.deleteText, action: t.delete };
    if (await this.askFirst(question, "room_delete", { roomId: this.room.roomId })) navigate({ page: "rooms" });
  };

  private readonly rename = async (): Promise<void> => {
    const title = await showDialog<string>((done) => renameForm(this.room.title, done), {
      title: words().details.renameTitle,
      kind: "sheet",
    });
    if (title === undefined || title === this.room.title) return;
    if (await this.ask("room_rename", { roomId: this.room.roomId, title })) notify(words().details.renamed);
  };

  private readonly endHistory = async (): Promise<void> => {
    const t = words().history;
    const question = { title: t.endTitle, text: t.endText, action: t.end };
    if (await this.askFirst(question, "room_end_history", { roomId: this.room.roomId })) notify(t.ended);
  };

  private readonly invite = async (): Promise<void> => {
    const inside = new Set(this.room.members.map((member) => member.userId));
    const userIds = await showDialog<Id[]>(
      (done) => html`<gamrae-room-invite .engine=${this.engine} .inside=${inside} .done=${done}></gamrae-room-invite>`,
      { title: words().details.inviteTitle, kind: "sheet" },
    );
    if (userIds === undefined) return;
    if (await this.ask("room_invite", { roomId: this.room.roomId, userIds })) notify(words().details.invited);
  };

  private async askFirst<C extends CommandName>(question: Question, command: C, args: Args<C>): Promise<boolean> {
    return (await confirmed(question)) && this.ask(command, args);
  }

  private async ask<C extends CommandName>(command: C, args: Args<C>): Promise<boolean> {
    this.working = true;
    const outcome = await outcomeOf(this.engine.command(command, args));
    this.working = false;
    if (!outcome.done) notifyFailure(outcome.failure);
    return outcome.done;
  }
}

function renameForm(current: string, done: (title: string) => void): TemplateResult {
  const submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const title = new FormData(event.target as HTMLFormElement).get("title");
    if (typeof title === "string" && title.trim() !== "") done(title.trim());
  };
  return html`<form class="form" @submit=${submitted}>
    <label for="rename-title">${words().rooms.groupTitle}</label>
    <input id="rename-title" class="input" name="title" required maxlength="100" autocomplete="off" autofocus .value=${current} aria-describedby="rename-hint" />
    <p class="hint" id="rename-hint">${words().rooms.groupTitleHint}</p>
    <button type="submit" class="button primary">${words().common.save}</button>
  </form>`;
}
