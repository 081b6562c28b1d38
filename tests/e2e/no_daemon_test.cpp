// Nobody where a daemon should be, or somebody else.
#include "tests/e2e/raw_socket.h"
#include "tests/e2e/with_pqctl.h"

namespace pqd::test {
namespace {

Ran pqctl_at(const std::string& socket, std::vector<std::string> words = {"health"}) {
  return run(pqctl_words(std::move(words)), {"PQD_SOCKET=" + socket});
}

TEST(NoDaemon, EndsWith69AndSaysHowToFindOne) {
  TempDir directory;
  const std::string socket = directory.path("pqd.sock");
  const auto is_told = [&](const std::string& why) {
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"health"}, {"submit", "t"}, {"ls"}, {"work", "t", "--", "true"}}) {
      const Ran ran = pqctl_at(socket, words);
      EXPECT_EQ(ran.exit, 69) << ran.err;
      EXPECT_EQ(ran.out, "");
      for (const std::string& part : {std::string("UNAVAILABLE"), socket, std::string("--socket"), why})
        EXPECT_TRUE(has(ran.err, part)) << ran.err;
    }
  };
  is_told("No such file or directory");
  listening(socket, SOCK_SEQPACKET);  // closed at once: a file that nobody listens to
  is_told("Connection refused");
}

TEST(NoDaemon, IsToldFromSomethingElseAtItsPlace) {
  TempDir directory;
  const UniqueFd other = listening(directory.path("stream"), SOCK_STREAM);
  const Ran ran = pqctl_at(directory.path("stream"));
  EXPECT_EQ(ran.exit, 69);
  EXPECT_TRUE(has(ran.err, "is a socket of something else than pqd")) << ran.err;
  const Ran too_long = pqctl_at("/" + std::string(200, 'x'));
  EXPECT_EQ(too_long.exit, 65);
  EXPECT_TRUE(has(too_long.err, "over 107 bytes")) << too_long.err;
}

TEST(NoDaemon, IsNotWaitedForBeyondTheTimeout) {
  TempDir directory;
  const UniqueFd silent = listening(directory.path("pqd.sock"), SOCK_SEQPACKET);
  const Ran ran = pqctl_at(directory.path("pqd.sock"), {"health", "--timeout", "200ms"});
  EXPECT_EQ(ran.exit, 69);
  EXPECT_TRUE(has(ran.err, "UNAVAILABLE") && has(ran.err, "did not answer in time")) << ran.err;
}

}  // namespace
}  // namespace pqd::test
