#include "daemon/config/nearest_word.h"

#include <gtest/gtest.h>

#include <string>

#include "daemon/config/suggest.h"

namespace pqd {
namespace {

constexpr std::string_view kWords[] = {"max_depth", "max_bytes", "fair", "socket"};

TEST(NearestWord, FindsWhatWasMeant) {
  EXPECT_EQ(nearest_word("max_dpeth", kWords), "max_depth");
  EXPECT_EQ(nearest_word("maxdepth", kWords), "max_depth");
  EXPECT_EQ(nearest_word("MAX_BYTE", kWords), "max_bytes");
  EXPECT_EQ(nearest_word("fiar", kWords), "fair");
}

TEST(NearestWord, KeepsQuietWhenNothingIsNear) {
  EXPECT_EQ(nearest_word("", kWords), "");
  EXPECT_EQ(nearest_word("colour", kWords), "");
  EXPECT_EQ(nearest_word(std::string(1'000, 'x'), kWords), "");
  EXPECT_EQ(nearest_word("fair", {}), "");
}

TEST(Suggest, AsksWhetherTheNearestWordWasMeant) {
  EXPECT_EQ(suggest("fiar", kWords), " (did you mean fair?)");
  EXPECT_EQ(suggest("fiar", {"fair", "socket"}), " (did you mean fair?)");
  EXPECT_EQ(suggest("colour", kWords), "");
  EXPECT_EQ(did_you_mean(""), "");
}

}  // namespace
}  // namespace pqd
