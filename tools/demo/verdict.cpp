#include "tools/demo/verdict.h"

#include <algorithm>

#include "tools/demo/consumer.h"

namespace pqd::demo {
namespace {

enum class Comparison { kSame, kDifferent, kNothingToCompare };

Comparison compare(const ListedFile& file, const std::string& result, const Digests& digests) {
  const auto digest = digests.find(file.path);
  if (digest == digests.end())
    return result == kUnreadable || has_changed(file) ? Comparison::kNothingToCompare
                                                      : Comparison::kDifferent;
  if (digest->second == result) return Comparison::kSame;
  return has_changed(file) ? Comparison::kNothingToCompare : Comparison::kDifferent;
}

void complain_if(Verdict& verdict, size_t count, const std::string& what) {
  if (count != 0) verdict.complaints.push_back(std::to_string(count) + " " + what);
}

}  // namespace

Verdict judge(const std::vector<ListedFile>& files, const Tally& tally, const KnownJobs& jobs,
              const Digests& digests) {
  Verdict verdict;
  size_t known = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    if (tally.jobs[i].empty()) continue;
    ++verdict.submitted;
    const auto job = jobs.find(tally.jobs[i]);
    if (job == jobs.end()) {
      ++verdict.lost;
      continue;
    }
    ++known;
    verdict.delivered_again += size_t{job->second.attempts > 1};
    if (job->second.state != JobState::kCompleted) {
      ++verdict.lost;
      continue;
    }
    ++verdict.completed;
    const Comparison comparison = compare(files[i], job->second.result, digests);
    verdict.wrong += size_t{comparison == Comparison::kDifferent};
    verdict.skipped += size_t{comparison == Comparison::kNothingToCompare};
  }
  complain_if(verdict, files.size() - verdict.submitted, "files never became a durable job");
  complain_if(verdict, verdict.lost, "jobs were lost");
  complain_if(verdict, verdict.wrong, "results differ from sha256sum's");
  complain_if(verdict, jobs.size() - known, "jobs are there that nobody submitted");
  complain_if(verdict, tally.durable_twice, "submits were acknowledged twice");
  const auto twice = std::ranges::count_if(tally.settled, [](const auto& job) { return job.second > 1; });
  complain_if(verdict, static_cast<size_t>(twice), "jobs were completed twice");
  // Some files of a living system change; if most do, nothing was compared.
  if (verdict.skipped > files.size() / 10)
    complain_if(verdict, verdict.skipped, "files could not be compared, which is too many");
  return verdict;
}

}  // namespace pqd::demo
