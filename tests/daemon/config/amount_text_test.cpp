#include "daemon/config/amount_text.h"

#include <gtest/gtest.h>

namespace pqd {
namespace {

TEST(AmountText, ReadsDurations) {
  EXPECT_EQ(parse_duration_ms("500ms"), 500u);
  EXPECT_EQ(parse_duration_ms("5s"), 5'000u);
  EXPECT_EQ(parse_duration_ms("1.5m"), 90'000u);
  EXPECT_EQ(parse_duration_ms("0.3s"), 300u);
  EXPECT_EQ(parse_duration_ms("1h"), 3'600'000u);
  EXPECT_EQ(parse_duration_ms("2d"), 172'800'000u);
  EXPECT_EQ(parse_duration_ms("0"), 0u);
  EXPECT_EQ(parse_duration_ms("0s"), 0u);
}

TEST(AmountText, ReadsBytes) {
  EXPECT_EQ(parse_bytes("17"), 17u);
  EXPECT_EQ(parse_bytes("17B"), 17u);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536u);
  EXPECT_EQ(parse_bytes("1.5MiB"), 1'572'864u);
  EXPECT_EQ(parse_bytes("1GiB"), 1u << 30);
  EXPECT_EQ(parse_bytes("2TiB"), 2ull << 40);
}

TEST(AmountText, RefusesEverythingElse) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", " 5s", "5 s", "5S", "5sec", "1e3s", "0x5s", "infs",
                           "nans", "99999999999999999999d", "5s "}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
  for (const char* text :
       {"", "B", "-1", "1.5", "1GB", "1gib", "1 GiB", "99999999999TiB", "9999999999999999999"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(AmountText, ShowsTheLargestUnitThatLeavesAWholeNumber) {
  EXPECT_EQ(duration_text_ms(0), "0");
  EXPECT_EQ(duration_text_ms(1), "1ms");
  EXPECT_EQ(duration_text_ms(1'500), "1500ms");
  EXPECT_EQ(duration_text_ms(90'000), "90s");
  EXPECT_EQ(duration_text_ms(3'600'000), "1h");
  EXPECT_EQ(bytes_text(0), "0");
  EXPECT_EQ(bytes_text(1'000), "1000");
  EXPECT_EQ(bytes_text(1'536), "1536");
  EXPECT_EQ(bytes_text(65'536), "64KiB");
  EXPECT_EQ(bytes_text(1ull << 30), "1GiB");
}

TEST(AmountText, ReadsBackWhatItShows) {
  for (uint64_t amount = 0; amount < 1ull << 52; amount = amount * 3 + 1) {
    EXPECT_EQ(parse_duration_ms(duration_text_ms(amount)), amount);
    EXPECT_EQ(parse_bytes(bytes_text(amount)), amount);
    EXPECT_EQ(parse_duration_ms(duration_text_ms(amount * 1'000 % (1ull << 52))),
              amount * 1'000 % (1ull << 52));
    EXPECT_EQ(parse_bytes(bytes_text(amount * 1'024 % (1ull << 52))), amount * 1'024 % (1ull << 52));
  }
}

}  // namespace
}  // namespace pqd
