#include "tools/demo/results.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "tools/demo/child.h"
#include "tools/demo/producer.h"

namespace pqd::demo {
namespace {

constexpr size_t kDigestLetters = 64;
constexpr int kSomeFailed = 123;  // of xargs: a file vanished or cannot be read, which is no fault of the run

}  // namespace

std::expected<KnownJobs, std::string> ask_for_jobs(Client& client) {
  KnownJobs jobs;
  ListFilter filter{.queue = kQueue, .limit = limits::kListPageMax};
  for (;;) {
    const auto page = client.list(filter);
    if (!page) return std::unexpected("cannot list the jobs: " + page.error().text);
    if (page->empty()) return jobs;
    for (const JobInfo& job : *page) {
      const bool is_new =
          jobs.insert_or_assign(job.core.id, KnownJob{job.core.state, job.core.attempts, job.core.created_ns,
                                                      job.core.finished_ns, std::string(as_text(job.result))})
              .second;
      if (!is_new) return std::unexpected("the daemon lists job " + job.core.id.to_string() + " twice");
    }
    filter.older_than = page->back().core.id;
  }
}

std::optional<bool> queue_is_empty(Client& client) {
  const auto queues = client.queues(kQueue);
  if (!queues || queues->size() != 1) return std::nullopt;
  const QueueInfo& queue = queues->front();
  return queue.ready + queue.scheduled + queue.held + queue.active + queue.parked == 0;
}

Digests parse_digests(std::string_view output) {
  Digests digests;
  while (!output.empty()) {
    const size_t end = std::min(output.find('\0'), output.size());
    const std::string_view record = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    if (record.size() <= kDigestLetters + 2) continue;
    digests.emplace(record.substr(kDigestLetters + 2), record.substr(0, kDigestLetters));
  }
  return digests;
}

std::expected<Digests, std::string> run_sha256sum(const std::string& list, const Scratch& scratch,
                                                  Signals& signals) {
  const std::string output = scratch.file("sha256sum");
  const UniqueFd in(::open(list.c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd out(::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!in || !out) return std::unexpected("cannot open " + output + ": " + ::strerror(errno));
  auto child =
      Child::start({"xargs", "-0", "-r", "sha256sum", "--zero", "--"}, {in.get(), out.get(), -1}, SIGKILL);
  if (!child) return std::unexpected(child.error());
  while (child->running()) {
    pollfd fd{signals.fd(), POLLIN, 0};
    ::poll(&fd, 1, 100);
    if (signals.asked() != 0) return std::unexpected("stopped");
  }
  const int status = *child->status();
  if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != kSomeFailed))
    return std::unexpected("sha256sum under xargs ended with " + describe_status(status));
  std::ifstream text(output, std::ios::binary);
  return parse_digests(std::string(std::istreambuf_iterator<char>(text), {}));
}

}  // namespace pqd::demo
