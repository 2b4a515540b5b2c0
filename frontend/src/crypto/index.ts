/**
 * HRK/1 in the browser: the twin of crypto_client, file by file (docs/protocol.md).
 *
 * Pure functions: state and input give the next state and an output. No page, no store, no network.
 * States are plain data that IndexedDB can hold; maps that Python keys by bytes are keyed by
 * lower-case hexadecimal here. Wait for `ready` before the first call.
 *
 * @example
 * await ready;
 * const { epoch: next, envelope } = await sealMessage(epoch, keys, textBody("안녕"), { msgId, time });
 * const { message } = openMessage(envelope, theirEpoch, { room });
 */
export {
  type DeviceWord,
  type MessageName,
  type SeenList,
  checkAutomaticRefresh,
  checkDispute,
  checkErase,
  checkSuspend,
  checkVeto,
  encodeWord,
  makeDispute,
  makeErase,
  makeSuspend,
  makeVeto,
} from "./account_statements";
export {
  type Attachment,
  cleanName,
  filesOf,
  isShownInline,
  readFiles,
} from "./attachments";
export {
  type Attached,
  type Body,
  type KeyLogClaim,
  type Reference,
  type SeenLog,
  bodyContent,
  parseBody,
  textBody,
  writeBody,
} from "./body";
export {
  ADD_BY_ADMINS,
  ADD_BY_MEMBERS,
  type ClearState,
  type Commit,
  type Core,
  HISTORY_FROM_JOIN,
  HISTORY_OFF,
  WRAP_SIZE,
  commitHash,
  coreHash,
  defaultState,
  parseCore,
  parsePrekeys,
  parseState,
  prekeyFloors,
} from "./commit";
export {
  type Committer,
  commitAdd,
  commitRefresh,
  commitRemove,
  commitRole,
  commitRotation,
  commitTitle,
  createDirect,
  createGroup,
  makeCommit,
  memberRow,
} from "./committing";
export {
  type DeviceList,
  type KnownList,
  type SignedDeviceList,
  acceptDeviceList,
  entryOf,
  firstDeviceList,
  listHash,
  listWith,
  listWithout,
  nextDeviceList,
  parseDeviceList,
  verifyDeviceList,
  walkOwnLists,
} from "./device_list";
export {
  compareBytes,
  concat,
  decodeBase64url,
  encodeBase64url,
  equalBytes,
  fromHex,
  hex,
} from "./encoding";
export {
  CLASS_MESSAGE,
  CLASS_SILENT,
  type Envelope,
  type Header,
  type Pre,
  type Sealed,
  type SealedEnvelope,
  type SealOptions,
  acceptanceStamp,
  checkCommitment,
  envelopeId,
  parseEnvelope,
  parseHeader,
  sealMessage,
} from "./envelope";
export {
  ReadLists,
  type RoomView,
  type Trust,
  listsByHash,
  maySeal,
  sendersOf,
  settle,
  usersToRefresh,
} from "./epoch";
export { OUTCOMES, type Outcome, ProtocolError } from "./errors";
export { FileChecker, FileOpener, type FileSeal, FileSealer, openFile } from "./file_seal";
export {
  type EpochName,
  type HistoryRecord,
  type HistoryWriter,
  historyWriter,
  openHistory,
  sealHistory,
} from "./history";
export {
  type AccountKey,
  type DeviceEntry,
  type DeviceKeys,
  accountOf,
  deviceEntry,
  deviceId,
  deviceProof,
  newAccount,
  newDevice,
  verifyDeviceProof,
} from "./identity";
export { type Invite, joinByInvite, makeInvite } from "./joining";
export {
  type FollowedLog,
  type Frontier,
  type NewestLeaf,
  type SignedBytes,
  checkClaim,
  checkFresh,
  checkNewestList,
  followLog,
  labelOf,
  newestLog,
  pinLog,
} from "./key_log";
export {
  type Offer,
  type ScreenSecret,
  checkFirstPrekey,
  compareNumber,
  linkId,
  newScreenSecret,
  openOffer,
  readShortCode,
  sealOffer,
  shortCode,
} from "./link_offer";
export {
  type Answered,
  type Asking,
  type GaveUp,
  type LinkCode,
  type Linked,
  type Pin,
  type Waiting,
  answerCode,
  beginLink,
  codeHash,
  finishLink,
  linkKey,
  scanCode,
} from "./linking";
export {
  type Counter,
  LOG_START,
  checkLogHash,
  checkVoid,
  eventHash,
  nextLogHash,
} from "./log_hash";
export {
  type Known,
  type MessageIndex,
  NOTHING_KNOWN,
  type Opened,
  type OpenedMessage,
  openMessage,
} from "./opening";
export { COUNTER_LIMIT, type Op, applyOps, encodeOps, parseOps } from "./ops";
export { PRF_SALT, type PasskeyName, openPasskey, passkeyId, sealPasskey } from "./passkey";
export {
  LIFETIME_MS,
  type SignedPrekey,
  newPrekey,
  parsePrekey,
  prekeyHash,
  verifyPrekey,
} from "./prekeys";
export { type Random, ready, systemRandom, wipe } from "./primitives";
export {
  type KnownProfile,
  type Profile,
  type SignedProfile,
  acceptProfile,
  makeProfile,
} from "./profiles";
export {
  type Chain,
  type EpochState,
  chainOf,
  closeEpoch,
  shouldRotate,
  skipTo,
} from "./ratchet";
export { type Reader, type Received, followChain, receiveCommit } from "./receiving";
export {
  type Recovered,
  type SignedBlob,
  backupPublic,
  backupSeed,
  checkBlob,
  openRecovery,
  sealRecovery,
} from "./recovery";
export { type Renewal, backupSeeds, openCarry, renewRecovery, sealCarry } from "./renewal";
export {
  decodeCode,
  encodeCode,
  generateWords,
  isCode,
  normaliseSecret,
  unknownWords,
  wrongBlocks,
} from "./recovery_secret";
export {
  type Author,
  type Quote,
  type Reaction,
  type Target,
  type Verdict,
  deletionOf,
  editOf,
  hidingOf,
  judgeReference,
  judgeReply,
  newestOf,
  originOf,
  reactionTo,
  whyGone,
} from "./references";
export { type Report, checkReport } from "./report";
export { type HeadVerdict, type ServedHead, judgeHead } from "./rollback";
export {
  KIND_DIRECT,
  KIND_GROUP,
  type Member,
  type Origin,
  ROLE_ADMIN,
  ROLE_MEMBER,
  type Roster,
  directOrigin,
  findMember,
  groupOrigin,
  hasAdmin,
  parseOrigin,
  parseRoster,
  roomOf,
  rosterHash,
} from "./roster";
export { type AccountIdentity, fingerprint, safetyNumber } from "./safety";
export {
  type Signer,
  type SigningKey,
  newNonExtractableKey,
  newSeedKey,
  newSigningKey,
  signerOf,
} from "./signer";
export { type EpochSource, historySource, prekeySource } from "./sources";
export {
  type Statement,
  type Subject,
  encodeStatement,
  makeLeave,
  makeRemoveIntent,
  makeServerRemove,
  parseStatement,
  verifyStatement,
} from "./statements";
export {
  type KeyChange,
  type ResetState,
  type SignedReset,
  type Succession,
  encodeSuccession,
  judgeSuccession,
  makeReset,
  makeSuccession,
  resetId,
  resetState,
  verifyReset,
} from "./succession";
