"""SCAIP (SS 91100:2014, the base of CLC/TS 50134-9:2018): the bodies that a terminal and a receiver send over SIP.

    <mrq>                                     request of a terminal, as the body of a SIP MESSAGE
      <ref>00001883</ref>                     its reference, which the answer repeats
      <mty>ME</mty>                           ME alarm or event, RE reset, IN information, PI heartbeat; without it ME
      <cid>26317</cid>                        the controller: the account
      <dty>02</dty><stc>010</stc>             device type and status, padded or not; without a status 0010, manual alarm
      <crd>gsm:+37200000000</crd>             where the unit can be called; may come several times
    </mrq>
    <mrs>                                     answer of the receiver, as the body of a MESSAGE of its own
      <ref>00001883</ref><snu>0</snu>         accepted
      <mre>1</mre><cre>62</cre><tnu>...</tnu> call this number, with voice in both directions
    </mrs>

The elements stand in any order and belong to no name space. Their meaning comes from the fact sheet of telecare over IP
(1.2 to 1.8), so it is at second hand: the standard's text was not used. The codes are in ``vetlla/protocols/codes``.
"""
