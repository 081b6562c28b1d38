// Programs that were built with an earlier library are served by today's daemon: through the real socket and
// memory, without a line of the library.
#include <gtest/gtest.h>

#include "tests/golden/raw_text.h"
#include "tests/golden/session_play.h"
#include "tests/support/daemon.h"

namespace pqd::test {
namespace {

const std::string kGolden = PQD_SOURCE_DIR "/tests/golden/";

class GoldenSession : public WithDaemon, public testing::WithParamInterface<const char*> {
 protected:
  std::string script() const { return read_file(kGolden + GetParam() + ".up"); }
  // The first message, with another range of versions.
  Record hello(uint32_t abi_min, uint32_t abi_max) const {
    Record bytes = hello_of(script());
    std::copy_n(reinterpret_cast<const char*>(&abi_min), 4, bytes.data() + 12);
    std::copy_n(reinterpret_cast<const char*>(&abi_max), 4, bytes.data() + 16);
    return bytes;
  }
};

TEST_P(GoldenSession, IsAnsweredWithWhatItsClientCanRead) {
  const Played played = play_session(daemon_.socket(), script(), [this] {
    daemon_.kill();
    return static_cast<bool>(daemon_.start());
  });
  EXPECT_EQ(played.fault, "");
  EXPECT_EQ(played.text, read_file(kGolden + GetParam() + ".down"));
}

TEST_P(GoldenSession, OfANewerVersionIsRefusedNamingBoth) {
  RawSession session;
  EXPECT_FALSE(session.open(daemon_.socket(), hello(2, 3)));
  const std::string refusal = refusal_text_of(session.reply());
  EXPECT_TRUE(refusal.starts_with("refusal bytes=264 kind=3 abi=1..1 code=4 ")) << refusal;
  EXPECT_NE(refusal.find("version 1 "), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("versions 2 to 3"), std::string::npos) << refusal;
}

TEST_P(GoldenSession, OfAVersionInCommonIsAccepted) {
  RawSession session;
  EXPECT_TRUE(session.open(daemon_.socket(), hello(1, 7)));
  EXPECT_EQ(number_at<uint32_t>(session.reply(), 12), 1u) << welcome_text(session.reply());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenSession,
                         testing::Values("session-1", "session-2", "session-3", "session-4"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace pqd::test
