// First start of mongo_mongodb: the user that eda signs in as reads and writes its own database, and no other. Run by mongosh.
const { readFileSync } = require("node:fs");

db.getSiblingDB("eda").createUser({
  user: "eda",
  pwd: readFileSync(process.env.EDA_MONGODB_PASSWORD_FILE, "utf8").trimEnd(),
  roles: [{ role: "readWrite", db: "eda" }],
});
