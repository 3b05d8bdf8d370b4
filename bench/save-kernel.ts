#!/usr/bin/env node
import { saveKernel } from "../src/kernel/save-kernel.js";

/** Runs in the guest: `save-kernel.js DIR`. */
saveKernel(process.argv[2] ?? ".");
