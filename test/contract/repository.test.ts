import { openRepository } from "../../src/adapters/git/repository.ts";
import { repositoryContract } from "./repository-contract.ts";

repositoryContract("the repository over the installed Git", openRepository);
