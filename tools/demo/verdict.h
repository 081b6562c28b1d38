// Every result against sha256sum's, every submit against what the daemon has.
#pragma once

#include "tools/demo/file_list.h"
#include "tools/demo/results.h"
#include "tools/demo/tally.h"

namespace pqd::demo {

struct Verdict {
  size_t submitted = 0;
  size_t completed = 0;
  size_t delivered_again = 0;  // jobs that took more than one delivery
  size_t lost = 0;             // durable, and then not there or not completed
  size_t wrong = 0;            // another digest than sha256sum's
  size_t skipped = 0;          // files that changed, vanished or cannot be read: nothing to compare with
  std::vector<std::string> complaints;  // empty = passed

  bool passed() const { return complaints.empty(); }
};

Verdict judge(const std::vector<ListedFile>& files, const Tally& tally, const KnownJobs& jobs,
              const Digests& digests);

}  // namespace pqd::demo
