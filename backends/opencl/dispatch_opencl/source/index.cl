// Reading and writing by index, for family @F. whole[0] is the size of the indexed dimension,
// whole[1] its stride; a wrong index is reported, and 0 is used in its place.

static long place(In index, long i, int kind, long size, global long* report) {
  long at = kind == I32 ? (long)((global const int*)index)[i] : ((global const long*)index)[i];
  if (at >= 0 && at < size) return at;
  report[1] = at;
  report[0] = 1;
  return 0;
}

kernel void gather(Out out, In a, In index, global long* report, const Geometry g) {
  EACH_CHUNK(1)
  long at = place(index, q + i * g.inner[2], g.kind[2], g.whole[0], report);
  T_@F x = read_@F(a, p + i * g.inner[1] + at * g.whole[1], g.kind[1]);
  write_@F(out, o + i * g.inner[0], g.kind[0], x);
  END_CHUNK
}

// One work-item goes along a line of the index, so equal places are written one after the other.
kernel void scatter_src(Out out, In index, In src, global long* report, const Geometry g) {
  EACH_ROW
    for (long i = 0; i < g.n; i++) {
      long at = place(index, p + i * g.inner[1], g.kind[1], g.whole[0], report);
      T_@F x = read_@F(src, q + i * g.inner[2], g.kind[2]);
      write_@F(out, o + at * g.whole[1], g.kind[0], x);
    }
  }
}

kernel void scatter_add(Out out, In index, In src, global long* report, const Geometry g) {
  EACH_ROW
    for (long i = 0; i < g.n; i++) {
      long at = o + place(index, p + i * g.inner[1], g.kind[1], g.whole[0], report) * g.whole[1];
      T_@F x = read_@F(src, q + i * g.inner[2], g.kind[2]);
      write_@F(out, at, g.kind[0], read_@F((In)out, at, g.kind[0]) + x);
    }
  }
}
