import type { Distribution } from "../distro.js";
import { findKernelPackages, kernelsOf } from "./debian-kernels.js";
import { listSources } from "./debian-source.js";
import { prepareDebianKernel } from "./prepare-kernel.js";
import { packageOfTool } from "./tool-packages.js";

export const debian: Distribution = {
  id: "debian",
  kernels: async (place) => kernelsOf(await findKernelPackages(place)),
  sources: listSources,
  prepare: prepareDebianKernel,
  packageOf: packageOfTool,
};
