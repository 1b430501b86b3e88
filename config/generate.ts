// Writes the files that are made from sources: `npm run generate`, from the root of the project.
import { writeFileSync } from "node:fs";
import { generateReference } from "./reference.ts";

writeFileSync("config/reference.gen.md", generateReference());
