// Requests with more than so many e-mail addresses stay on the premises.

import { definePolicy, found, onlyKeys } from "@ringfence/sdk";

export const judge = definePolicy({
  configure(config) {
    const { most = 3 } = onlyKeys(config, ["most"]);
    if (typeof most !== "number") throw "`most` is no number";
    return {
      declaration: { codes: ["too_many_addresses"], needs: ["findings"] },
      state: { most },
    };
  },

  judge(request, { most }) {
    const addresses = found(request).filter((finding) => finding.entity === "EMAIL");
    if (addresses.length <= most) return { permit: "any" };
    return { permit: { within: "premises" }, code: "too_many_addresses" };
  },
});
