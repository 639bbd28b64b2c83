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
  if (g.inner[2] == 0) {  // one index for many elements
    EACH_CHUNK(LANES_@F)
    long from = p + place(index, q, g.kind[2], g.whole[0], report) * g.whole[1];
    V_@F x = load_@F(a, from + i * g.inner[1], g.inner[1], count, g.kind[1]);
    store_@F(out, o + i * g.inner[0], g.inner[0], count, g.kind[0], x);
    END_CHUNK
    return;
  }
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

// The same for lines that share an index and lie side by side: whole[2] of them, a vector at a time.
#define EACH_VECTOR_OF_LINES                                                               \
  long c = get_global_id(0) * LANES_@F;                                                    \
  int count = (int)min((long)LANES_@F, g.whole[2] - c);                                    \
  EACH_ROW                                                                                 \
    for (long i = 0; i < g.n; i++) {                                                       \
      long at = o + c                                                                      \
        + place(index, p + i * g.inner[1], g.kind[1], g.whole[0], report) * g.whole[1];    \
      V_@F x = load_@F(src, q + c + i * g.inner[2], 1, count, g.kind[2]);

kernel void scatter_src_side_by_side(Out out, In index, In src, global long* report,
                                     const Geometry g) {
  EACH_VECTOR_OF_LINES
      store_@F(out, at, 1, count, g.kind[0], x);
    }
  }
}

kernel void scatter_add_side_by_side(Out out, In index, In src, global long* report,
                                     const Geometry g) {
  EACH_VECTOR_OF_LINES
      store_@F(out, at, 1, count, g.kind[0], load_@F((In)out, at, 1, count, g.kind[0]) + x);
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
