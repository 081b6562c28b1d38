#include "tests/crash/failed_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

#include "tests/crash/image_directory.h"

namespace pqd::test {
namespace {

constexpr unsigned kWatchdogSeconds = 120;  // a life takes less than one

// What a process tells of its life; shared with the one that judges it.
struct Verdict {
  LifeBoard board;
  bool stopped = false;
  std::array<char, 512> fault{};  // "" = none

  void set(const std::string& text) { text.copy(fault.data(), fault.size() - 1); }
};

class SharedVerdict {
 public:
  SharedVerdict() {
    void* page = ::mmap(nullptr, sizeof(Verdict), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) std::abort();
    verdict_ = new (page) Verdict;
  }
  ~SharedVerdict() { ::munmap(verdict_, sizeof(Verdict)); }
  SharedVerdict(const SharedVerdict&) = delete;
  SharedVerdict& operator=(const SharedVerdict&) = delete;
  Verdict* operator->() const { return verdict_; }
  Verdict& operator*() const { return *verdict_; }

 private:
  Verdict* verdict_;
};

// Runs `work` in a child, whose words are not for the screen; its status as of waitpid(). Whoever forks has
// never used RocksDB: its threads stay behind, and their work would wait for ever.
template <class Work>
int in_child(const std::string& words, Work&& work) {
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    ::alarm(kWatchdogSeconds);
    ::signal(SIGABRT, SIG_DFL);
    const int file = ::open(words.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(file, STDERR_FILENO);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

// What a life without a fault was like, by commit, for those who judge others; through a file.
void save(const RecordedLife& life, uint64_t calls, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  const auto put = [&file](const void* from, size_t bytes) {
    file.write(static_cast<const char*>(from), static_cast<std::streamsize>(bytes));
  };
  const uint64_t commits = life.now.size();
  put(&calls, sizeof calls);
  put(&commits, sizeof commits);
  put(life.now.data(), commits * sizeof life.now[0]);
  put(life.live.data(), commits * sizeof life.live[0]);
  put(life.finished.data(), commits * sizeof life.finished[0]);
}

uint64_t load(RecordedLife& life, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const auto get = [&file](void* to, size_t bytes) {
    if (!file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes))) std::abort();
  };
  uint64_t calls = 0;
  uint64_t commits = 0;
  get(&calls, sizeof calls);
  get(&commits, sizeof commits);
  life.now.resize(commits);
  life.live.resize(commits);
  life.finished.resize(commits);
  get(life.now.data(), commits * sizeof life.now[0]);
  get(life.live.data(), commits * sizeof life.live[0]);
  get(life.finished.data(), commits * sizeof life.finished[0]);
  return calls;
}

class Faulter {
 public:
  explicit Faulter(const FailedCallPlan& plan) : plan_(plan) {}

  FailedCallReport run() {
    const int status = in_child(scratch_.path("words"), [&] { live_without_fault(); });
    if (status != 0) {
      report_.failed = 1;
      report_.first_failure = "a life without a fault: " + read_file(scratch_.path("words"));
      return report_;
    }
    report_.calls = load(life_, scratch_.path("life"));
    life_.begun = life_.told = {{0, life_.now.size() - 1}};
    for (uint64_t nth = plan_.first; nth <= report_.calls; nth += plan_.every) {
      const std::string fault = plan_.start ? fail_start(nth) : fail_life(nth);
      ++report_.lives;
      if (fault.empty()) continue;
      ++report_.failed;
      if (report_.first_failure.empty())
        report_.first_failure = "seed " + std::to_string(plan_.life.seed) + ", call " + std::to_string(nth) +
                                " of " + std::to_string(report_.calls) + ": " + fault;
    }
    return report_;
  }

 private:
  void live_without_fault() const {
    LifePlan plan = plan_.life;
    plan.fault = {};
    plan.last_word = plan_.start;
    if (plan_.start) {
      std::filesystem::create_directory(whole_store());
      write_file(whole_store() + "/format", "pqd 1\n");
      plan.directory = whole_store();
    }
    const auto life = record_life(plan);
    const bool reads = plan_.life.fault.reads;
    if (!plan_.start) return save(*life, reads ? life->reads : life->calls, scratch_.path("life"));
    const ImageDirectory image;
    copy_to(image);
    const auto fs = std::make_shared<FaultFs>(image.path(), nullptr);
    const auto env = rocksdb::NewCompositeEnv(fs);
    if (!fault_of_image(image.path(), *life, SIZE_MAX, env.get()).empty()) std::abort();
    save(*life, reads ? fs->reads() : fs->calls(), scratch_.path("life"));
  }

  // A whole life, of which a call fails.
  std::string fail_life(uint64_t nth) {
    const ImageDirectory directory;
    const SharedVerdict verdict;
    LifePlan plan = plan_.life;
    plan.fault.nth = nth;
    plan.directory = directory.path();
    plan.board = &verdict->board;
    const int status = in_child(scratch_.path("words"), [&] {
      const auto life = record_life(plan);
      verdict->stopped = life->end.has_value();
      verdict->set(fault_of_end(*life));
    });
    if (const std::string fault = fault_of_process(status, *verdict); !fault.empty()) return fault;
    life_.begun = {{0, verdict->board.begun.load(std::memory_order_relaxed)}};
    life_.told = {{0, verdict->board.told.load(std::memory_order_relaxed)}};
    return judge(directory.path());
  }

  static std::string fault_of_end(const RecordedLife& life) {
    if (life.went_on) return "a store that had failed took another write";
    if (!life.end) return {};
    const Error due =
        life.plan.fault.error == FaultPlan::Error::kNoSpace ? Error::kNoSpace : Error::kSystemError;
    if (!life.faulted) return "ended before anything had failed: " + life.end->text;
    if (!life.end->fatal) return "goes on after: " + life.end->text;
    if (life.end->code != due) return "ends with another error: " + life.end->text;
    return {};
  }

  // The start over a closed store, of which a call fails; then one of which none does.
  std::string fail_start(uint64_t nth) {
    const ImageDirectory image;
    copy_to(image);
    const SharedVerdict verdict;
    FaultPlan fault = plan_.life.fault;
    fault.nth = nth;
    const int status = in_child(scratch_.path("words"), [&] {
      const auto fs = std::make_shared<FaultFs>(image.path(), nullptr);
      fs->plan(fault);
      const auto env = rocksdb::NewCompositeEnv(fs);
      const std::string met = fault_of_image(image.path(), life_, SIZE_MAX, env.get());
      verdict->stopped = !met.empty();
      if (!met.empty() && !is_refusal(met)) verdict->set("serves what is not so: " + met);
      if (!met.empty() && !fs->failed()) verdict->set("is refused before anything has failed: " + met);
    });
    if (const std::string wrong = fault_of_process(status, *verdict); !wrong.empty()) return wrong;
    const std::string after = judge(image.path());
    return after.empty() ? after : "the next start: " + after;
  }

  // The real recovery over what a life has left.
  std::string judge(const std::string& directory) {
    const SharedVerdict verdict;
    const int status =
        in_child(scratch_.path("words"), [&] { verdict->set(fault_of_image(directory, life_, SIZE_MAX)); });
    if (status != 0)
      return "recovery ends with status " + std::to_string(status) + ": " + read_file(scratch_.path("words"));
    return verdict->fault.data();
  }

  std::string whole_store() const { return scratch_.path("store"); }

  void copy_to(const ImageDirectory& image) const {
    std::filesystem::copy(
        whole_store(), image.path(),
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  }

  std::string fault_of_process(int status, const Verdict& verdict) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
      const std::string words = read_file(scratch_.path("words"));
      // Its own assertions; ours and those of sanitizers are failures.
      if (words.find("Assertion") == std::string::npos || words.find("pqd::") != std::string::npos)
        return "aborted: " + words;
      ++report_.aborted;
      return {};
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      return "ended with status " + std::to_string(status) + ": " + read_file(scratch_.path("words"));
    report_.stopped += verdict.stopped ? 1 : 0;
    return verdict.fault.data();
  }

  const FailedCallPlan& plan_;
  TempDir scratch_;
  RecordedLife life_;  // without a fault; begun and told are those of the life that is judged
  FailedCallReport report_;
};

}  // namespace

FailedCallReport& FailedCallReport::operator+=(const FailedCallReport& other) {
  calls += other.calls, lives += other.lives, stopped += other.stopped;
  aborted += other.aborted, failed += other.failed;
  if (first_failure.empty()) first_failure = other.first_failure;
  return *this;
}

FailedCallReport fail_calls(const FailedCallPlan& plan) { return Faulter(plan).run(); }

}  // namespace pqd::test
