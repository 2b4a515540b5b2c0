// Makes the one MongoDB of deploy/compose.yaml a replica set, and the account that Gamrae uses.
// It may be run again at any time.
const fs = require("fs");
const secret = (name) => fs.readFileSync(`/run/secrets/${name}`, "utf8").trim();

const root = `mongodb://root:${secret("mongo_root_password")}@mongo:27017/admin?directConnection=true`;
const admin = connect(root);
const ALREADY = 23; // AlreadyInitialized
try {
  admin.adminCommand({ replSetInitiate: { _id: "gamrae", members: [{ _id: 0, host: "mongo:27017" }] } });
} catch (error) {
  if (error.code !== ALREADY) throw error;
}
for (let tries = 0; !admin.hello().isWritablePrimary; tries++) {
  if (tries === 120) throw new Error("the replica set has no primary after a minute");
  sleep(500);
}

const account = { pwd: secret("mongo_password"), roles: [{ role: "readWrite", db: "gamrae" }] };
const gamrae = admin.getSiblingDB("gamrae");
if (gamrae.getUser("gamrae")) gamrae.updateUser("gamrae", account);
else gamrae.createUser({ user: "gamrae", ...account });
print("replica set and account are there");
