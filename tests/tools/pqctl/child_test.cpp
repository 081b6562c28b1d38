#include "tools/pqctl/child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>

namespace pqd::ctl {
namespace {

// Until it has ended; the watchdog is the test's own timeout.
int run_to_end(Child& child) {
  for (;;) {
    child.pump();
    if (const auto status = child.reap()) return *status;
    std::vector<pollfd> fds;
    child.add_poll_fds(fds);
    ::poll(fds.data(), fds.size(), 5);
  }
}

Child spawn(const std::string& script, std::string_view input = {},
            std::vector<std::string> environment = {}) {
  ::signal(SIGPIPE, SIG_IGN);  // as main() does
  environment.push_back("PATH=/usr/bin:/bin");
  auto child = Child::spawn({"sh", "-c", script}, environment, as_bytes(input));
  EXPECT_TRUE(child) << child.error().text;
  return std::move(*child);
}

// A killed orphan may stay a zombie where nobody reaps it.
bool is_running(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return file >> number >> name >> state && state != "Z";
}

TEST(Child, GetsItsInputAndGivesItsOutput) {
  std::string input(300'000, 'x');  // more than a pipe holds
  Child child = spawn("wc -c", input);
  EXPECT_EQ(run_to_end(child), 0);
  EXPECT_EQ(std::stoi(child.output()), 300'000);
}

TEST(Child, NeedNotReadItsInput) {
  const std::string input(300'000, 'x');
  Child child = spawn("echo early", input);
  EXPECT_EQ(run_to_end(child), 0);
  EXPECT_EQ(child.output(), "early\n");
}

TEST(Child, KeepsTheTailOfItsErrors) {
  ::testing::internal::CaptureStderr();
  Child child = spawn("i=0; while [ $i -lt 500 ]; do echo line $i >&2; i=$((i+1)); done; exit 3");
  const int status = run_to_end(child);
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(status_text(status), "exit 3");
  EXPECT_LE(child.error_tail().size(), Child::kErrorTailBytes);
  EXPECT_TRUE(child.error_tail().ends_with("line 499"));
}

TEST(Child, SaysWhenItsOutputIsTooLong) {
  Child child = spawn("head -c 70000 /dev/zero");
  EXPECT_EQ(run_to_end(child), 0);
  EXPECT_TRUE(child.output_too_long());
}

TEST(Child, IsStoppedWithItsWholeGroup) {
  Child child = spawn("sleep 1000 & echo $!; wait");
  while (child.output().empty()) child.pump();
  const pid_t grandchild = std::stoi(child.output());
  child.signal(SIGTERM);
  EXPECT_EQ(status_text(run_to_end(child)), "killed by signal 15 (Terminated)");
  while (is_running(grandchild)) ::poll(nullptr, 0, 1);
}

TEST(Child, DoesNotWaitForAGrandchildThatKeepsThePipesOpen) {
  Child child = spawn("sleep 1000 & echo $!");
  const int status = run_to_end(child);
  EXPECT_EQ(status, 0);
  ::kill(std::stoi(child.output()), SIGKILL);
}

TEST(Child, SeesSignalsAsAShellGivesThem) {
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  Child child = spawn("awk '/^Sig(Blk|Ign)/ { print $2 }' /proc/self/status");
  EXPECT_EQ(run_to_end(child), 0);
  ASSERT_EQ(child.output().size(), 34u);
  const uint64_t mask = std::stoull(child.output().substr(0, 16), nullptr, 16);
  const uint64_t ignored = std::stoull(child.output().substr(17, 16), nullptr, 16);
  EXPECT_EQ(mask, 0u);
  EXPECT_EQ(ignored & (1u << (SIGPIPE - 1)), 0u);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(Child, ThatCannotBeRunIsSaidSo) {
  const auto child = Child::spawn({"/nonexistent/program"}, {}, {});
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().text.find("/nonexistent/program"), std::string::npos);
}

TEST(Program, IsFoundAlongThePath) {
  EXPECT_TRUE(find_program("sh"));
  EXPECT_FALSE(find_program("no-such-program-here"));
  EXPECT_FALSE(find_program("/etc/passwd"));
}

}  // namespace
}  // namespace pqd::ctl
