// Connecting: every way in which it does not work says why and what to do, and leaves nothing open.
#include <sys/socket.h>
#include <sys/stat.h>
#include <atomic>

#include <cstdlib>

#include "tests/bindings/false_daemon.h"
#include "tests/bindings/fixtures.h"
#include "tests/support/forked.h"
#include "tests/support/process.h"

namespace pqd::test {
namespace {

constexpr uid_t kNobody = 65'534;

Failure failure_at(const std::string& socket, uint32_t connect_timeout_ms = 60'000) {
  const auto client = Client::connect({.socket = socket, .connect_timeout_ms = connect_timeout_ms});
  EXPECT_FALSE(client);
  return client ? Failure{Error::kOk, {}, 0} : client.error();
}

TEST(Connecting, SaysThatNoDaemonIsThereAndHowToStartOne) {
  const TempDir directory;
  const Failure nothing = failure_at(directory.path("pqd.sock"));
  EXPECT_EQ(nothing.error, Error::kUnavailable);
  EXPECT_TRUE(has(nothing.text, directory.path("pqd.sock"))) << nothing.text;
  EXPECT_TRUE(has(nothing.text, "pqd --dev")) << nothing.text;
  write_file(directory.path("file"), "");
  EXPECT_EQ(failure_at(directory.path("file/pqd.sock")).error, Error::kUnavailable);
  EXPECT_EQ(failure_at(directory.path("file")).error, Error::kUnavailable);
}

TEST(Connecting, RefusesAPathThatNoSocketCanHave) {
  const Failure failure = failure_at("/tmp/" + std::string(120, 'x'));
  EXPECT_EQ(failure.error, Error::kInvalidRequest);
  EXPECT_TRUE(has(failure.text, "107 bytes")) << failure.text;
}

TEST(Connecting, TellsASocketOfSomethingElseApart) {
  const FalseDaemon stream([](int) {}, SOCK_STREAM);
  const Failure failure = failure_at(stream.socket());
  EXPECT_EQ(failure.error, Error::kUnavailable);
  EXPECT_TRUE(has(failure.text, "something else")) << failure.text;
}

TEST(Connecting, NamesBothVersionsWhenTheDaemonSpeaksAnother) {
  const FalseDaemon daemon(
      [](int socket) {
        Refusal refusal;
        refusal.abi_min = 7;
        refusal.abi_max = 9;
        refusal.code = static_cast<uint8_t>(Error::kInvalidRequest);
        EXPECT_TRUE(send_message(socket, refusal, {}, kWatchdog));
      },
      SOCK_SEQPACKET);
  const Failure failure = failure_at(daemon.socket());
  EXPECT_EQ(failure.error, Error::kSystemError);
  EXPECT_TRUE(has(failure.text, "version " + std::to_string(kAbiVersion))) << failure.text;
  EXPECT_TRUE(has(failure.text, "7 to 9")) << failure.text;
}

TEST(Connecting, PassesOnWhyTheDaemonRefuses) {
  const FalseDaemon daemon(
      [](int socket) {
        const auto code = static_cast<uint8_t>(Error::kUnauthorized);
        EXPECT_TRUE(send_refusal(socket, code, "not on a Tuesday", kWatchdog));
      },
      SOCK_SEQPACKET);
  const Failure failure = failure_at(daemon.socket());
  EXPECT_EQ(failure.error, Error::kUnauthorized);
  EXPECT_TRUE(has(failure.text, "not on a Tuesday")) << failure.text;
}

TEST(Connecting, RefusesAnAnswerThatIsNone) {
  const FalseDaemon daemon(
      [](int socket) {
        EXPECT_TRUE(send_message(socket, std::array<char, 88>{'n', 'o'}, {}, kWatchdog));
      },
      SOCK_SEQPACKET);
  EXPECT_EQ(failure_at(daemon.socket()).error, Error::kSystemError);
}

TEST(Connecting, RefusesAWelcomeWithoutTheSessionsFiles) {
  const FalseDaemon daemon([](int socket) { EXPECT_TRUE(send_message(socket, Welcome{}, {}, kWatchdog)); },
                           SOCK_SEQPACKET);
  EXPECT_EQ(failure_at(daemon.socket()).error, Error::kSystemError);
}

TEST(Connecting, EndsWhenTheDaemonHangsUp) {
  const FalseDaemon daemon([](int) {}, SOCK_SEQPACKET);
  EXPECT_EQ(failure_at(daemon.socket()).error, Error::kUnavailable);
}

TEST(Connecting, DialsAgainWhenADaemonRestartsInBetween) {
  std::atomic<int> dialled{0};
  const FalseDaemon daemon(
      [&](int socket) {
        // Refused while it stops, hung up on as it dies, then let in as far as a refusal for good.
        const auto refuse = [socket](Error code, bool again) {
          EXPECT_TRUE(send_refusal(socket, static_cast<uint8_t>(code), "", kWatchdog, again));
        };
        ++dialled;
        if (dialled == 1) refuse(Error::kUnavailable, true);
        if (dialled == 3) refuse(Error::kNoSpace, false);
      },
      SOCK_SEQPACKET);
  EXPECT_EQ(failure_at(daemon.socket(), 60'000).error, Error::kNoSpace);
  EXPECT_EQ(dialled, 3);
}

TEST(Connecting, EndsWhenTheDaemonStaysSilent) {
  const FalseDaemon daemon(
      [](int socket) {
        char byte = 0;
        EXPECT_EQ(::recv(socket, &byte, 1, 0), 0) << "the client should hang up";
      },
      SOCK_SEQPACKET);
  EXPECT_EQ(failure_at(daemon.socket(), 50).error, Error::kUnavailable);
}

TEST_F(WithDaemon, RefusesSizesOutOfTheirRangeBeforeItAsks) {
  const auto with = [&](SegmentSizes sizes) {
    const auto client = Client::connect({.socket = daemon_.socket(), .sizes = sizes});
    return client ? Error::kOk : client.error().error;
  };
  SegmentSizes lane, receipts, deliveries, answers;
  lane.lane_bytes[2] = 3'000'000;
  receipts.receipt_slots = 32;
  deliveries.deliveries_bytes = 32 << 10;
  answers.answers_bytes = 512u << 20;
  EXPECT_EQ(with(lane), Error::kInvalidRequest);
  EXPECT_EQ(with(receipts), Error::kInvalidRequest);
  EXPECT_EQ(with(deliveries), Error::kInvalidRequest);
  EXPECT_EQ(with(answers), Error::kInvalidRequest);
  EXPECT_EQ(with({}), Error::kOk);
}

// Runs as a user who is neither root nor the daemon's, and says what connecting ended in.
std::string as_nobody(const std::string& socket) {
  Forked stranger([&](const Forked::Say& say) {
    if (::setresuid(kNobody, kNobody, kNobody) != 0) return 1;
    const auto client = Client::connect({.socket = socket});
    say(std::string(error_name(error_of(client))));
    return 0;
  });
  const std::string heard = stranger.hear();
  EXPECT_EQ(stranger.wait(), 0);
  return heard;
}

TEST_F(WithDaemon, IsUnauthorizedWhereThePathMayNotBeReadOrTheUserIsAStranger) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can play another user";
  EXPECT_EQ(as_nobody(daemon_.socket()), "UNAUTHORIZED") << "the directory is private";
  const std::string directory = daemon_.directory();
  for (const std::string& path : {directory.substr(0, directory.rfind('/')), directory, daemon_.socket()}) {
    ASSERT_EQ(::chmod(path.c_str(), 0777), 0) << path;
  }
  EXPECT_EQ(as_nobody(daemon_.socket()), "UNAUTHORIZED") << "the daemon serves its own user and root";
  EXPECT_TRUE(has(daemon_.log(), "65534"));
}

TEST(Connecting, IsUnavailableWhenTheDaemonHasNoSessionLeft) {
  Daemon daemon("[daemon]\nsessions_max = 1\n");
  ASSERT_TRUE(daemon.start());
  const auto first = Client::connect({.socket = daemon.socket()});
  ASSERT_TRUE(first);
  EXPECT_EQ(failure_at(daemon.socket()).error, Error::kUnavailable);
}

TEST_F(WithDaemon, IsFoundThroughTheEnvironment) {
  ::setenv("PQD_SOCKET", daemon_.socket().c_str(), 1);
  const auto named = Client::connect({});
  ::unsetenv("PQD_SOCKET");
  ASSERT_TRUE(named) << text_of(named);
  EXPECT_EQ(named->socket(), daemon_.socket());
  // directory/pqd/pqd.sock is where a user's own daemon is looked for.
  const std::string runtime = daemon_.directory().substr(0, daemon_.directory().rfind('/'));
  ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 1);
  const auto own = Client::connect({});
  ::unsetenv("XDG_RUNTIME_DIR");
  ASSERT_TRUE(own) << text_of(own);
  EXPECT_EQ(own->socket(), daemon_.socket());
}

TEST_F(WithDaemon, TakesAnyNameForItself) {
  for (const std::string& name : {std::string(100, 'n'), std::string("tab\tand \xC3\xA4"), std::string()}) {
    EXPECT_TRUE(Client::connect({.socket = daemon_.socket(), .name = name}));
  }
}

TEST_F(WithDaemon, LeavesNoDescriptorAndNoMappingBehindOverTwoHundredConnects) {
  const auto connect_once = [&] {
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client) << text_of(client);
    EXPECT_GE(client->fd(), 0);
    const auto ticket = client->submit({.type = "t"});
    ASSERT_TRUE(ticket);
    EXPECT_TRUE(client->wait(*ticket, kPatience));
  };
  for (int i = 0; i < 10; ++i) connect_once();
  const size_t descriptors = open_descriptors();
  const size_t mapped = mappings();
  for (int i = 0; i < 200 && !HasFatalFailure(); ++i) connect_once();
  EXPECT_EQ(open_descriptors(), descriptors);
  // The allocator may map some more; a session that stayed would be five each.
  EXPECT_LT(mappings(), mapped + 100);
}

}  // namespace
}  // namespace pqd::test
