#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include "tests/daemon/loop/fixtures.h"

namespace pqd::loop_test {
namespace {

using Result = std::expected<size_t, int>;

class FileWrites : public LoopTest {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/pqd-loop-XXXXXX";
    file_ = UniqueFd(::mkostemp(path_.data(), O_CLOEXEC));
    ASSERT_TRUE(file_);
  }
  void TearDown() override {
    if (file_) ::unlink(path_.c_str());
  }

  Result write(int fd, std::string_view text, uint64_t offset, bool sync) {
    std::optional<Result> result;
    loop_->write_file(fd, std::as_bytes(std::span(text)), offset, sync, [&](Result r) { result = r; });
    EXPECT_FALSE(result) << "completed before run()";
    if (!run_until([&] { return result.has_value(); })) return std::unexpected(ETIMEDOUT);
    return *result;
  }

  std::string contents() {
    std::string text(1 << 20, '\0');
    const ssize_t n = ::pread(file_.get(), text.data(), text.size(), 0);
    text.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return text;
  }

  std::string path_;
  UniqueFd file_;
};
PQD_OVER_BOTH_BACKENDS(FileWrites);

TEST_P(FileWrites, LandAtTheirOffsetsSyncedOrNot) {
  EXPECT_EQ(write(file_.get(), "world", 6, false), Result(5U));
  EXPECT_EQ(write(file_.get(), "hello ", 0, true), Result(6U));
  EXPECT_EQ(contents(), "hello world");
}

TEST_P(FileWrites, ManyAtOnceAllComplete) {
  const std::string block(1000, 'b');
  size_t written = 0;
  for (uint64_t i = 0; i < 600; ++i) {
    loop_->write_file(file_.get(), std::as_bytes(std::span(block)), i * block.size(), i % 50 == 0,
                      [&](Result result) { written += result.value_or(0); });
  }
  EXPECT_TRUE(run_until([&] { return written == 600 * block.size(); }));
  EXPECT_EQ(contents(), std::string(600 * block.size(), 'b'));
}

TEST_P(FileWrites, AHandlerMayWriteTheNext) {
  constexpr std::string_view kText = "chain";
  size_t at = 0;
  std::function<void(Result)> next = [&](Result result) {
    ASSERT_TRUE(result);
    if (++at == kText.size()) return;
    loop_->write_file(file_.get(), std::as_bytes(std::span(kText.substr(at, 1))), at, true, next);
  };
  loop_->write_file(file_.get(), std::as_bytes(std::span(kText.substr(0, 1))), 0, true, next);
  EXPECT_TRUE(run_until([&] { return at == kText.size(); }));
  EXPECT_EQ(contents(), kText);
}

TEST_P(FileWrites, ThatFailSayTheErrno) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write(full.get(), "x", 0, true), Result(std::unexpected(ENOSPC)));
  const UniqueFd read_only(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(write(read_only.get(), "x", 0, false), Result(std::unexpected(EBADF)));
}

// The sync of something that cannot be synced: what was written is not reported as safe.
TEST_P(FileWrites, WhoseSyncFailsHaveFailed) {
  const UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(write(null.get(), "x", 0, false), Result(1U));
  EXPECT_EQ(write(null.get(), "x", 0, true), Result(std::unexpected(EINVAL)));
}

// A file size limit cuts the write short, and refuses the rest of it. In a child, which keeps the limit.
TEST_P(FileWrites, CutShortAreCarriedOnUntilTheErrorShows) {
  loop_.reset();
  ChildProcess child([this] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10, 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto made = EventLoop::create(GetParam());
    if (!made) return 2;
    loop_ = std::move(*made);
    return write(file_.get(), std::string(100, 'x'), 0, true) == Result(std::unexpected(EFBIG)) ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(contents(), std::string(10, 'x'));
}

TEST_P(FileWrites, UnderWayWhenTheLoopGoesAreFinishedFirstAndReportedToNobody) {
  {
    const std::string text(100'000, 'z');
    loop_->write_file(file_.get(), std::as_bytes(std::span(text)), 0, true, [](Result) { FAIL(); });
    loop_.reset();
  }
  EXPECT_EQ(contents(), std::string(100'000, 'z'));
}

}  // namespace
}  // namespace pqd::loop_test
