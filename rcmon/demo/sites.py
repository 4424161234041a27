"""The demo's grid: sites of the CMS collaboration, each with its slots and the storage that it reads from.

The names are real. The figures are made up in proportion to the sites' sizes: jobs that may run at once,
about an eighth of the cores (most jobs use eight), of it a quarter for input/output-bound jobs.
"""

from msgspec import Struct

# name, slots for CPU-bound jobs, then storage elements (none: as the site itself is called)
_TABLE = """
T0_CH_CERN 1200 T0_CH_CERN_Disk
T0_CH_CSCS_HPC 40 T2_CH_CSCS
T1_DE_KIT 760 T1_DE_KIT_Disk
T1_ES_PIC 360 T1_ES_PIC_Disk
T1_FR_CCIN2P3 640 T1_FR_CCIN2P3_Disk
T1_IT_CNAF 880 T1_IT_CNAF_Disk
T1_PL_NCBJ 210 T1_PL_NCBJ_Disk
T1_RU_JINR 720 T1_RU_JINR_Disk
T1_UK_RAL 680 T1_UK_RAL_Disk
T1_US_FNAL 1850 T1_US_FNAL_Disk T3_US_FNALLPC
T2_AT_Vienna 62
T2_BE_IIHE 170
T2_BE_UCL 160
T2_BR_SPRACE 175
T2_BR_UERJ 60
T2_CH_CERN 1500 T2_CH_CERN T2_CH_CERNBOX
T2_CH_CERN_AI 90 T2_CH_CERN_AI
T2_CH_CERN_HLT 980 T2_CH_CERN
T2_CH_CERN_P5 640 T2_CH_CERN_P5
T2_CH_CSCS 190
T2_CH_CSCS_HPC 110 T2_CH_CSCS
T2_CN_Beijing 75
T2_DE_DESY 420
T2_DE_RWTH 260
T2_EE_Estonia 190
T2_ES_CIEMAT 235
T2_ES_IFCA 120
T2_FI_HIP 65
T2_FR_GRIF 310
T2_FR_GRIF_IRFU 95 T2_FR_GRIF
T2_FR_GRIF_LLR 105 T2_FR_GRIF
T2_FR_IPHC 150
T2_GR_Ioannina 18
T2_HU_Budapest 80
T2_IN_TIFR 270
T2_IT_Bari 220
T2_IT_Legnaro 300
T2_IT_Pisa 240
T2_IT_Rome 200
T2_KR_KISTI 85
T2_LV_HPCNET 30
T2_PK_NCP 22
T2_PL_Cyfronet 70
T2_PL_Swierk 90
T2_PT_NCG_Lisbon 40
T2_RU_IHEP 55
T2_RU_INR 20
T2_RU_ITEP 35
T2_RU_JINR 110
T2_TR_METU 45
T2_TW_NCHC 58
T2_UA_KIPT 70
T2_UK_London_Brunel 150
T2_UK_London_IC 360
T2_UK_SGrid_Bristol 65
T2_UK_SGrid_RALPP 180
T2_US_Caltech 390
T2_US_Florida 420
T2_US_MIT 410
T2_US_Nebraska 520
T2_US_Purdue 560
T2_US_UCSD 480
T2_US_Vanderbilt 330
T2_US_Wisconsin 540
T3_BG_UNI_SOFIA 12 T2_GR_Ioannina
T3_BY_NCPHEP 6 T2_UA_KIPT
T3_CH_CERN_HelixNebula 60 T2_CH_CERN
T3_CH_PSI 40 T3_CH_PSI
T3_CH_Volunteer 120 T2_CH_CERN
T3_CN_PKU 10 T2_CN_Beijing
T3_CO_Uniandes 14 T2_BR_SPRACE
T3_ES_Oviedo 8 T2_ES_IFCA
T3_FR_IPNL 48 T3_FR_IPNL
T3_GR_Demokritos 5 T2_GR_Ioannina
T3_HR_IRB 9 T2_HU_Budapest
T3_HU_Debrecen 7 T2_HU_Budapest
T3_IN_PUHEP 4 T2_IN_TIFR
T3_IN_TIFRCloud 30 T2_IN_TIFR
T3_IR_IPM 3 T2_TR_METU
T3_IT_Bologna 16 T1_IT_CNAF_Disk
T3_IT_Firenze 11 T2_IT_Pisa
T3_IT_Napoli 25 T2_IT_Rome
T3_IT_Opportunistic 100 T2_IT_Pisa T2_IT_Legnaro
T3_IT_Perugia 20 T2_IT_Rome
T3_IT_Trieste 24 T2_IT_Legnaro
T3_KR_KNU 55 T3_KR_KNU
T3_KR_UOS 18 T2_KR_KISTI
T3_MX_Cinvestav 9 T2_US_Florida
T3_NZ_UOA 6 T2_TW_NCHC
T3_RU_FIAN 8 T2_RU_JINR
T3_RU_MEPhI 7 T2_RU_JINR
T3_TH_CHULA 12 T2_TW_NCHC
T3_TW_NCU 26 T2_TW_NCHC
T3_TW_NTU_HEP 34 T2_TW_NCHC
T3_UK_London_QMUL 90 T2_UK_London_IC
T3_UK_London_RHUL 36 T2_UK_London_IC
T3_UK_SGrid_Oxford 42 T2_UK_SGrid_RALPP
T3_UK_ScotGrid_GLA 75 T2_UK_SGrid_RALPP
T3_US_ANL 130 T3_US_FNALLPC
T3_US_Baylor 28 T3_US_Baylor
T3_US_Brown 12 T2_US_MIT
T3_US_Colorado 45 T3_US_Colorado
T3_US_Cornell 15 T2_US_MIT
T3_US_FIT 13 T2_US_Florida
T3_US_FNALLPC 80
T3_US_HEPCloud 300 T1_US_FNAL_Disk
T3_US_JHU 19 T2_US_MIT
T3_US_MIT 52 T2_US_MIT
T3_US_NERSC 260 T1_US_FNAL_Disk
T3_US_NotreDame 95 T3_US_NotreDame
T3_US_OSG 140 T2_US_Nebraska T2_US_UCSD
T3_US_OSU 17 T2_US_Purdue
T3_US_PSC 110 T2_US_MIT
T3_US_PuertoRico 21 T3_US_PuertoRico
T3_US_Rice 23 T2_US_Vanderbilt
T3_US_Rutgers 33 T3_US_Rutgers
T3_US_SDSC 150 T2_US_UCSD
T3_US_TACC 280 T2_US_UCSD
T3_US_TAMU 66 T3_US_TAMU
T3_US_UCD 14 T2_US_UCSD
T3_US_UCR 20 T2_US_UCSD
T3_US_UCSB 11 T2_US_UCSD
T3_US_UMD 27 T3_US_UMD
T3_US_UMiss 9 T2_US_Vanderbilt
"""


class GridSite(Struct, frozen=True):
    """One site of the demo's grid."""

    name: str
    cpu: int
    """Slots for CPU-bound jobs (SSB's core_cpu_intensive)."""
    io: int
    """Slots for jobs bound by input and output (SSB's core_io_intensive)."""
    pnns: tuple[str, ...]


def _parse(line: str) -> GridSite:
    """Read one line of the table."""
    name, cpu, *pnns = line.split()
    return GridSite(name, int(cpu), int(cpu) // 4, tuple(pnns) or (name,))


SITES: tuple[GridSite, ...] = tuple(_parse(line) for line in _TABLE.strip().splitlines())
