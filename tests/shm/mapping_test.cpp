#include "shm/mapping.h"

#include <sys/mman.h>

#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

MappingLayout two_rings() {
  MappingLayout layout;
  layout.add(kPageBytes, 1);
  layout.add(2 * kPageBytes, 2);
  layout.add(4 * kPageBytes, 2);
  return layout;
}

bool mapped(const std::byte* address) {
  unsigned char resident = 0;
  return ::mincore(const_cast<std::byte*>(address), kPageBytes, &resident) == 0;
}

TEST(Mapping, ShowsEachRingTwiceBackToBack) {
  const UniqueFd fd = create_memfd("pqd-test", two_rings().file_bytes()).value();
  const Mapping mapping = Mapping::map(fd.get(), two_rings(), Access::kReadWrite, OnFork::kInherit).value();
  EXPECT_EQ(mapping.part(1), mapping.base() + kPageBytes);
  EXPECT_EQ(mapping.part(2), mapping.base() + 5 * kPageBytes);
  mapping.base()[0] = std::byte{1};
  mapping.part(1)[5] = std::byte{2};
  mapping.part(2)[4 * kPageBytes + 9] = std::byte{3};
  EXPECT_EQ(mapping.part(1)[2 * kPageBytes + 5], std::byte{2});
  EXPECT_EQ(mapping.part(2)[9], std::byte{3});
  EXPECT_EQ(mapping.part(1)[0], std::byte{0});
}

TEST(Mapping, LeavesNoAddressBehind) {
  const UniqueFd fd = create_memfd("pqd-test", two_rings().file_bytes()).value();
  const std::byte* base = nullptr;
  {
    Mapping mapping = Mapping::map(fd.get(), two_rings(), Access::kReadOnly, OnFork::kDrop).value();
    base = mapping.base();
    const Mapping moved = std::move(mapping);
    EXPECT_EQ(moved.base(), base);
    EXPECT_TRUE(mapped(base));
  }
  for (uint64_t at = 0; at < two_rings().address_bytes(); at += kPageBytes)
    EXPECT_FALSE(mapped(base + at)) << at;
}

TEST(Mapping, RefusesAFileThatIsTooShort) {
  const UniqueFd fd = create_memfd("pqd-test", two_rings().file_bytes() - kPageBytes).value();
  const auto mapping = Mapping::map(fd.get(), two_rings(), Access::kReadOnly, OnFork::kDrop);
  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().number, ENODATA);
}

TEST(Mapping, PassesOnThatASealedFileCannotBeMappedWritable) {
  const UniqueFd fd = create_memfd("pqd-test", two_rings().file_bytes()).value();
  ASSERT_TRUE(seal_for_client_reading(fd.get()));
  const auto writable = Mapping::map(fd.get(), two_rings(), Access::kReadWrite, OnFork::kDrop);
  ASSERT_FALSE(writable);
  EXPECT_EQ(writable.error().number, EPERM);
  EXPECT_TRUE(Mapping::map(fd.get(), two_rings(), Access::kReadOnly, OnFork::kDrop));
}

TEST(Mapping, AClientsChildDoesNotHaveIt) {
  const UniqueFd fd = create_memfd("pqd-test", two_rings().file_bytes()).value();
  const Mapping dropped = Mapping::map(fd.get(), two_rings(), Access::kReadWrite, OnFork::kDrop).value();
  const Mapping kept = Mapping::map(fd.get(), two_rings(), Access::kReadWrite, OnFork::kInherit).value();
  EXPECT_TRUE(test::succeeds_in_child([&] {
    for (uint64_t at = 0; at < two_rings().address_bytes(); at += kPageBytes)
      if (mapped(dropped.base() + at) || !mapped(kept.base() + at)) return false;
    return true;
  }));
}

TEST(Mapping, AnotherFileTakesThePlaceOfOneAtItsAddresses) {
  const UniqueFd first = create_memfd("pqd-test", two_rings().file_bytes()).value();
  const UniqueFd second = create_memfd("pqd-test", two_rings().file_bytes()).value();
  const UniqueFd short_one = create_memfd("pqd-test", two_rings().file_bytes() - kPageBytes).value();
  const Mapping writer = Mapping::map(second.get(), two_rings(), Access::kReadWrite, OnFork::kDrop).value();
  Mapping mapping = Mapping::map(first.get(), two_rings(), Access::kReadOnly, OnFork::kDrop).value();
  const std::byte* const base = mapping.base();
  EXPECT_EQ(mapping.replace(short_one.get(), Access::kReadOnly, OnFork::kDrop).error().number, ENODATA);
  ASSERT_TRUE(mapping.replace(second.get(), Access::kReadOnly, OnFork::kDrop));
  EXPECT_EQ(mapping.base(), base);
  writer.base()[3] = std::byte{1};
  writer.part(1)[5] = std::byte{2};
  writer.part(2)[9] = std::byte{3};
  EXPECT_EQ(base[3], std::byte{1});
  EXPECT_EQ(mapping.part(1)[2 * kPageBytes + 5], std::byte{2});
  EXPECT_EQ(mapping.part(2)[4 * kPageBytes + 9], std::byte{3});
  EXPECT_TRUE(test::succeeds_in_child([&] {
    for (uint64_t at = 0; at < two_rings().address_bytes(); at += kPageBytes)
      if (mapped(base + at)) return false;
    return true;
  }));
}

TEST(Mapping, AnEngineAdoptsTheSupervisorsSealedDownAndWritesIt) {
  const SegmentSizes sizes = test::small_sizes();
  const UniqueFd fd = create_memfd("pqd-test", down_layout(sizes).file_bytes()).value();
  DownSegment supervisors = DownSegment::map(fd.get(), sizes, Access::kReadWrite, OnFork::kInherit).value();
  supervisors.describe(42, 7, kFeatures, 1000);
  ASSERT_TRUE(seal_for_client_reading(fd.get()));
  std::byte* const base = supervisors.base();
  EXPECT_TRUE(test::succeeds_in_child([&] {
    if (DownSegment::map(fd.get(), sizes, Access::kReadWrite, OnFork::kInherit)) return false;
    DownSegment engines = DownSegment::adopt(base, sizes);
    if (engines.header().session != 42) return false;
    engines.header().bell.store(99);
    RingWriter writer(engines.deliveries_data(), sizes.deliveries_bytes, engines.header().deliveries_tail,
                      engines.header().answers_tail);
    return test::write_record(writer, 5, 64) && writer.publish();
  }));
  EXPECT_EQ(supervisors.header().bell.load(), 99u);
  EXPECT_EQ(supervisors.header().deliveries_tail.load(), 64u);
  EXPECT_TRUE(test::record_is(std::span(supervisors.deliveries_data(), 64), 5));
}

TEST(Mapping, WhatAnEngineUnmapsItsSupervisorKeeps) {
  const SegmentSizes sizes = test::small_sizes();
  const UniqueFd fd = create_memfd("pqd-test", up_layout(sizes).file_bytes()).value();
  const UpSegment supervisors = UpSegment::map(fd.get(), sizes, Access::kReadOnly, OnFork::kInherit).value();
  std::byte* const base = supervisors.base();
  EXPECT_TRUE(test::succeeds_in_child([&] {
    { const UpSegment engines = UpSegment::adopt(base, sizes); }
    return !mapped(base) && !mapped(base + up_layout(sizes).address_bytes() - kPageBytes);
  }));
  EXPECT_TRUE(mapped(base));
  EXPECT_EQ(supervisors.header().tail[0].load(), 0u);
}

TEST(Segment, PartsLieWhereTheLayoutSays) {
  const SegmentSizes sizes = test::small_sizes();
  const UniqueFd up_fd = create_memfd("pqd-test", up_layout(sizes).file_bytes()).value();
  UpSegment up = UpSegment::map(up_fd.get(), sizes, Access::kReadWrite, OnFork::kDrop).value();
  EXPECT_EQ(up.ring_data(Lane::kLow) - up.base(), 4096);
  EXPECT_EQ(up.ring_data(Lane::kControl) - up.ring_data(Lane::kCritical), 2 * 65'536);
  const UniqueFd down_fd = create_memfd("pqd-test", down_layout(sizes).file_bytes()).value();
  DownSegment down = DownSegment::map(down_fd.get(), sizes, Access::kReadWrite, OnFork::kDrop).value();
  EXPECT_EQ(&down.receipt_slot(1), down.receipts());
  EXPECT_EQ(&down.receipt_slot(kReceiptSlotsMin), down.receipts() + kReceiptSlotsMin - 1);
  EXPECT_EQ(&down.receipt_slot(kReceiptSlotsMin + 1), down.receipts());
  EXPECT_EQ(down.deliveries_data() - down.base(), 4096 + 4096);
  EXPECT_EQ(down.answers_data() - down.deliveries_data(), 2 * 65'536);
}

}  // namespace
}  // namespace pqd
