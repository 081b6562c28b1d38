// Starts that cannot be: a second daemon, a kernel without io_uring. And one without standard descriptors.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/forked.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

using SecondDaemon = WithPqctl;

TEST_F(SecondDaemon, OnOneDirectoryEndsWith69AndNamesTheFirst) {
  const std::string before = read_file(daemon_.directory() + "/state/supervisor.lock");
  const Ran second = run({PQD_BIN_DIR "/pqd", "--dev", "--dir", daemon_.directory()});
  EXPECT_EQ(second.exit, 69) << second.err;
  EXPECT_TRUE(
      has(second.err, "another pqd (pid " + std::to_string(daemon_.pid()) + ") uses " + daemon_.directory()))
      << second.err;
  EXPECT_EQ(second.out, "");
  EXPECT_EQ(read_file(daemon_.directory() + "/state/supervisor.lock"), before);
  output({"submit", "t"});
}

TEST_F(SecondDaemon, OnOneSocketEndsWith69AndNamesTheFirst) {
  TempDir other;
  write_file(other.path("pqd.toml"), "[daemon]\nstate_dir = \"" + other.path("state") + "\"\nsocket = \"" +
                                         daemon_.socket() + "\"\n");
  const Ran second = run({PQD_BIN_DIR "/pqd", "--config", other.path("pqd.toml")});
  EXPECT_EQ(second.exit, 69) << second.err;
  EXPECT_TRUE(
      has(second.err, "another pqd (pid " + std::to_string(daemon_.pid()) + ") uses " + daemon_.socket()))
      << second.err;
  EXPECT_FALSE(std::filesystem::exists(other.path("state/db")));
  output({"submit", "t"});
}

TEST(ADeadDaemon, LeavesASocketFileThatIsInNobodysWay) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  daemon.kill();
  ASSERT_TRUE(std::filesystem::exists(daemon.socket()));
  ASSERT_TRUE(daemon.start());
  EXPECT_TRUE(Client::connect({.socket = daemon.socket()}));
}

// From now on io_uring_setup says EPERM in this process and in all that it starts.
bool forbid_io_uring() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(SYS_io_uring_setup), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

// Starts a daemon and does a job with it; what it says of its loop, or what went wrong.
std::string loop_line(const std::string& choice) {
  Daemon daemon("[daemon]\nevent_loop = \"" + choice + "\"\n");
  if (const auto started = daemon.start(); !started) return started.message();
  auto client = Client::connect({.socket = daemon.socket()});
  if (!client) return client.error().text;
  const auto ticket = client->submit({.type = "t"});
  if (!ticket || !client->wait(*ticket, kWatchdog)) return "a job was not taken";
  const std::string log = daemon.log();
  const size_t at = log.find("supervises; ");
  daemon.stop();
  return first_line(log.substr(at));
}

TEST(NoIoUring, IsFallenBackFromWithOneLineThatSaysWhy) {
  Forked child([](const Forked::Say& say) {
    if (!forbid_io_uring()) return 1;
    say(loop_line("auto"));
    return testing::Test::HasFailure() ? 2 : 0;
  });
  EXPECT_EQ(
      child.hear(),
      "supervises; epoll: io_uring_setup said EPERM (a seccomp filter or a security policy forbids it)");
  EXPECT_EQ(child.wait(), 0);
}

TEST(NoIoUring, IsNoMatterWhenEpollIsAskedFor) { EXPECT_TRUE(has(loop_line("epoll"), "supervises; epoll")); }

TEST(NoIoUring, EndsTheStartWith71WhenItIsInsistedOn) {
  TempDir directory;
  write_file(directory.path("pqd.toml"), "[daemon]\nevent_loop = \"io_uring\"\n");
  Forked child([&](const Forked::Say& say) {
    if (!forbid_io_uring()) return 1;
    const Ran ran = run({PQD_BIN_DIR "/pqd", "--dev", "--dir", directory.path("pqd"), "--config",
                         directory.path("pqd.toml")});
    for (const std::string& part :
         {std::string("pqd: event_loop = \"io_uring\" is not to be had"), std::string("EPERM"),
          std::string("seccomp"), std::string("set it to \"auto\" or \"epoll\" in [daemon]")})
      if (!has(ran.err, part)) say(part + " is not in " + ran.err);
    return ran.exit;
  });
  EXPECT_EQ(child.hear(), "");
  EXPECT_EQ(child.wait(), 71);
  EXPECT_FALSE(std::filesystem::exists(directory.path("pqd/state/db")));
}

TEST(ADaemon, WithoutStandardDescriptorsWritesIntoNoneOfItsFiles) {
  TempDir directory;
  const std::string socket = directory.path("pqd/pqd.sock");
  Program daemon({"sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh", PQD_BIN_DIR "/pqd", "--dev", "--dir",
                  directory.path("pqd")});
  ASSERT_TRUE(
      eventually([&] { return Client::connect({.socket = socket}).has_value() || !daemon.running(); }));
  EXPECT_EQ(run(pqctl_words({"submit", "t", "--socket", socket})).exit, 0);
  EXPECT_EQ(read_file(directory.path("pqd/state/supervisor.lock")), std::to_string(daemon.pid()) + "\n");
  EXPECT_EQ(read_file(socket + ".lock"), std::to_string(daemon.pid()) + "\n");
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
}

}  // namespace
}  // namespace pqd::test
